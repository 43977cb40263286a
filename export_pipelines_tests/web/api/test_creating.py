"""Asking for exports: what is made, what it is answered, how often one may, and that no request makes two."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.steps.services import Services
from export_pipelines_tests.web.api_site import RUN, ApiSite, api_site

EXPORTS = "/api/exports"
BODY: dict[str, Any] = {"type": "BULK_CSV", "runId": RUN, "options": {"profile": "flat"}}


@contextmanager
def site_of(services: Services, **settings: object) -> Iterator[ApiSite]:
    with api_site(services, **settings) as running:
        yield running


def ask(client: httpx.Client, body: object = None, *, key: str | None = None, path: str = EXPORTS) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key.encode()}
    return client.post(path, json=body or BODY, headers=headers)


def test_an_export_is_made_for_the_caller_and_waits_in_the_queue(api: ApiSite) -> None:
    body = {**BODY, "title": " Mine ", "expiryHours": 48, "delivery": {"recipients": ["ada@example.org"]}}
    answer = api.owner.post(EXPORTS, json=body, headers={"User-Agent": "a program"})
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"{EXPORTS}/{made['id']}")
    assert (made["status"], made["user_id"], made["title"]) == ("PENDING", api.people["owner"], "Mine")
    assert (made["queue_position"], made["queue_waits_for"], made["retry_of"]) == (1, "launch", None)
    assert made["estimate"]["rows"] == 93
    assert made["estimate"]["counted"] is True
    assert made["input"]["options"]["profile"] == "flat"
    assert made["input"]["delivery"]["recipients"] == ["ada@example.org"]
    [entry] = audit.list_for_job(api.services.database, made["id"])
    assert (entry.action, entry.actor) == (
        "created", audit.Actor(user_id=api.people["owner"], address="127.0.0.1", user_agent="a program")
    )  # fmt: skip


def test_a_request_that_is_repeated_under_its_key_makes_one_job(api: ApiSite) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(api.owner, key="k-1"), range(6)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = [answer.headers.get("idempotent-replayed") for answer in answers]
    assert Counter(replayed) == {None: 1, "true": 5}
    # However its fields are put; and another user's key is another key.
    same = {"options": {"profile": "flat"}, "runId": RUN, "type": "bulk_csv", "expiryHours": 24}
    assert ask(api.owner, same, key="k-1").headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in ask(api.clients["other"], key="k-1").headers
    reused = ask(api.owner, {**BODY, "title": "Other"}, key="k-1")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")
    assert len(jobs.list_jobs(api.services.database)) == 2


def test_as_many_as_may_are_taken_in_an_hour_and_repeats_and_refusals_do_not_count(services: Services) -> None:
    with site_of(services, create_requests_per_hour=4) as api:
        first = ask(api.owner, key="k-1").json()["id"]
        for wrong in ({**BODY, "type": "BULK_XML"}, {**BODY, "runId": "no such run"}):
            assert ask(api.owner, wrong).status_code in (404, 422)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(api.owner), range(8)))
        assert Counter(answer.status_code for answer in answers) == {202: 3, 429: 5}
        late = next(answer for answer in answers if answer.status_code == 429)
        assert late.json()["code"] == "too-many-requests"
        assert 3590 <= int(late.headers["retry-after"]) <= 3600
        assert ask(api.owner, path=f"{EXPORTS}/{api.job(JobStatus.CANCELLED).id}/retry").status_code == 429
        assert ask(api.owner, key="k-1").json()["id"] == first
        assert ask(api.clients["other"]).status_code == 202


def test_a_field_that_is_wrong_is_named(api: ApiSite) -> None:
    wrong: dict[str, dict[str, object]] = {
        "type": {"type": None},
        "expiryHours": {"expiryHours": "24"},
        "options.profile": {"options": {"profile": 1}},
        "run_id": {"run_id": RUN},
        "title": {"title": "x" * 201},
        "delivery.recipients": {"delivery": {"recipients": []}},
    }
    for field, changed in wrong.items():
        answer = ask(api.owner, {**BODY, **changed})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
        assert field in answer.json()["errors"][0]["field"]
    assert ask(api.owner, {**BODY, "expiryHours": 169}).json()["errors"][0]["field"] == "expiryHours"
    assert jobs.list_jobs(api.services.database) == ()


def test_an_order_that_is_wrong_is_told_why(api: ApiSite) -> None:
    wrong = {
        "takes one of summary, flat": {**BODY, "options": {"profile": "wide"}},
        "There is no run": {**BODY, "runId": "no such run"},
        "nothing else": {**BODY, "definitionId": "ca2gvdciknfrbengm0efovtu6"},
        "no e-mail address": {**BODY, "delivery": {"recipients": ["nobody"]}},
        "cannot be the id": {**BODY, "runId": "no\x00id"},
        "Idempotency-Key": BODY,
    }
    for part, body in wrong.items():
        answer = ask(api.owner, body, key="é" if body is BODY else None)
        assert answer.status_code == (404 if part == "There is no run" else 422), answer.text
        assert part in answer.json()["detail"]
    halved = b'{"type": "BULK_CSV", "options": {"\\ud800": true}}'
    half = api.owner.post(EXPORTS, content=halved, headers={"Content-Type": "application/json"})
    assert half.status_code == 422
    assert jobs.list_jobs(api.services.database) == ()


def test_the_audit_log_is_for_administrators(api: ApiSite) -> None:
    ask(api.owner)
    refused = ask(api.owner, {"type": "AUDIT_JSONL"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert ask(api.clients["administrator"], {"type": "audit_jsonl"}).status_code == 202


def test_a_user_who_has_as_many_running_as_may_waits_for_them(services: Services) -> None:
    with site_of(services, max_running_per_user=1) as api:
        api.job(JobStatus.PROCESSING)
        made = ask(api.owner).json()
        assert (made["queue_position"], made["queue_waits_for"]) == (1, "own_jobs")
