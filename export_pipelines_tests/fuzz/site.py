"""The service that is driven: the demonstration data, people, and something of every kind to be found."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from export_pipelines.core.jobs import JobStatus
from export_pipelines.steps.services import Services
from export_pipelines_tests.web.api.test_deliveries import given_up
from export_pipelines_tests.web.api.test_schedules import NIGHTLY
from export_pipelines_tests.web.api.test_subscriptions import ALL
from export_pipelines_tests.web.api_site import ApiSite, api_site

UNLIMITED = 1_000_000
"""Creating requests an hour: what is refused for their number says nothing of the rest."""

_NOBODY_THERE = "http://127.0.0.1:9"


@dataclass(frozen=True, kw_only=True)
class Driven:
    """The service and ids to drive it with, by the parameter that they belong to."""

    api: ApiSite
    ids: dict[str, Sequence[str]]


@contextmanager
def driven_site(services: Services) -> Iterator[Driven]:
    """The service, without a Dagster to launch anything."""
    alone = replace(services, settings=replace(services.settings, dagster_url=_NOBODY_THERE))
    with api_site(alone, create_requests_per_hour=UNLIMITED) as api:
        yield Driven(api=api, ids=_things(api))


def _things(api: ApiSite) -> dict[str, Sequence[str]]:
    jobs = [api.job(status) for status in JobStatus]
    finished = [job for job in jobs if job.status is JobStatus.COMPLETED]
    failed = given_up(api)
    messages = api.owner.get("/api/deliveries", params={"job": failed}).json()["items"]
    return {
        "export_id": [*(job.id for job in jobs), api.job(of="other").id, failed],
        "grant": [api.share(job) for job in finished],
        "schedule_id": [_made(api, "/api/schedules", {**NIGHTLY, "name": name}) for name in ("one", "another")],
        "subscription_id": [_made(api, "/api/subscriptions", {**ALL, "name": name}) for name in ("one", "another")],
        "delivery_id": [message["id"] for message in messages],
    }


def _made(api: ApiSite, path: str, body: dict[str, object]) -> str:
    answer = api.owner.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
