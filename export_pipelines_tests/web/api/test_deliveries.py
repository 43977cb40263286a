"""``/api/deliveries`` on a running service."""

import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.db import jobs
from export_pipelines.steps.channels import open_channels
from export_pipelines.steps.deliver import deliver
from export_pipelines_tests.db.rows import add_job
from export_pipelines_tests.web.api_site import ApiSite

PATH = "/api/deliveries"


def given_up(api: ApiSite, *recipients: str, of: str = "owner") -> str:
    """A failed job with messages that no mail server takes; its id."""
    now = api.services.clock()
    told = DeliveryRequest(recipients=recipients or ("ada@example.org",))
    job = add_job(api.services.database, user_id=api.people[of], delivery=told, now=now)
    jobs.fail(api.services.database, job_id=job.id, attempt=None, error="the disk is full", now=now)
    deliver(api.services, open_channels(api.services.settings))
    return job.id


@pytest.fixture
def job_id(api: ApiSite) -> str:
    return given_up(api, "ada@example.org", "bob@example.org", "eve@example.org")


def test_messages_are_listed_by_job_and_state_in_pages(api: ApiSite, job_id: str) -> None:
    other_job = given_up(api)
    assert len(api.owner.get(PATH, params={"state": "DEAD"}).json()["items"]) == 4
    assert api.owner.get(PATH, params={"state": "SENT"}).json()["items"] == []
    [one] = api.owner.get(PATH, params={"job": other_job}).json()["items"]
    assert "no mail server is set" in one["last_error"]
    assert (one["event"], one["data"]["error"], "claim" in one) == ("export.failed", "the disk is full", False)
    first = api.owner.get(PATH, params={"job": job_id, "limit": 2}).json()
    rest = api.owner.get(PATH, params={"job": job_id, "limit": 2, "cursor": first["next_cursor"]}).json()
    recipients = {each["recipient"] for each in (*first["items"], *rest["items"])}
    assert recipients == {"ada@example.org", "bob@example.org", "eve@example.org"}


def test_one_is_retried_or_all_of_the_callers_own_that_were_given_up(api: ApiSite, job_id: str) -> None:
    given_up(api, of="other")
    one = api.owner.get(PATH).json()["items"][0]
    retried = api.owner.post(f"{PATH}/{one['id']}/retry")
    assert (retried.status_code, retried.json()["state"], retried.json()["tries"]) == (202, "PENDING", 0)
    assert api.owner.post(f"{PATH}/retry-dead").json() == {"retried": 2, "more": False}
    assert api.owner.get(PATH, params={"state": "DEAD"}).json()["items"] == []
    assert len(api.clients["other"].get(PATH, params={"state": "DEAD"}).json()["items"]) == 1


def test_messages_are_the_owners_of_the_job_and_the_administrators_alone(api: ApiSite, job_id: str) -> None:
    path = f"{PATH}/{api.owner.get(PATH).json()['items'][0]['id']}"
    for role, status in (("other", 404), ("viewer", 404), ("nobody", 401), ("administrator", 200)):
        client = api.clients[role]
        assert client.get(path).status_code == status
        assert client.get(PATH, params={"job": job_id}).status_code == status
        assert client.post(f"{path}/retry").status_code == (202 if status == 200 else status)
    assert api.clients["other"].get(PATH).json()["items"] == []
    assert len(api.clients["administrator"].get(PATH, params={"user": "owner@example.org"}).json()["items"]) == 3
    for nonsense in ("c0nosuch", "%00"):
        assert api.owner.get(f"{PATH}/{nonsense}").status_code == 404
