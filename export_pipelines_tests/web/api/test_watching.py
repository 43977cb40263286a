"""``/status`` and ``/events``: to whom they answer, and what."""

from dataclasses import fields
from datetime import timedelta
from itertools import product
from typing import Any

import httpx

from export_pipelines.core.jobs import JobNow, JobStatus
from export_pipelines.db import events
from export_pipelines.web.watching.shapes import Standing
from export_pipelines_tests.web.api_site import ApiSite, new_key
from export_pipelines_tests.web.listening import heard

EXPECTED = {"owner": 200, "viewer": 200, "administrator": 200, "other": 404, "nobody": 401}
CALLS = ("status", "events", "download")


def test_owner_viewer_and_administrator_are_answered_and_nobody_else(api: ApiSite) -> None:
    job = api.job(JobStatus.COMPLETED)
    api.share(job)
    owner, now = api.people["owner"], api.services.clock()
    past = new_key(api.services, owner, expires_at=now + timedelta(milliseconds=20))
    for call in CALLS:
        path = f"/api/exports/{job.id}/{call}"
        assert {name: client.get(path).status_code for name, client in api.clients.items()} == EXPECTED
        with api.session() as session, api.session("other") as stranger:
            assert (session.get(path).status_code, stranger.get(path).status_code) == (200, 404)
            both = {"Authorization": "Bearer ek_wrong"}
            assert session.get(path, headers=both).status_code == 401
        for credentials in (f"Bearer {past}", "Bearer ek_" + "x" * 43, "Basic eDp5", ""):
            refused = httpx.get(api.url + path, headers={"Authorization": credentials})
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == "Bearer"
            assert refused.json()["code"] == "not-authenticated"


def test_whatever_is_no_id_of_a_job_is_not_found(api: ApiSite) -> None:
    ids = ["cnone", "c", "..%2f..%2fetc%2fpasswd", "%00", "%F0%9F%92%A9", "c" * 5000, "c1'--"]
    for call, id_ in product(CALLS, ids):
        answers = [api.clients[who].get(f"/api/exports/{id_}/{call}").status_code for who in ("owner", "nobody")]
        assert answers in ([404, 401], [404, 404])


def test_the_status_says_what_the_row_says(api: ApiSite) -> None:
    for status in (JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.FAILED, JobStatus.COMPLETED, JobStatus.EXPIRED):
        job = api.job(status)
        answer = api.owner.get(f"/api/exports/{job.id}/status")
        told, row = answer.json(), api.owner.get(f"/api/exports/{job.id}").json()
        assert set(told) == set(Standing.model_fields) == {column.name for column in fields(JobNow)}
        assert told == {name: row[name] for name in told}
        assert answer.headers["cache-control"] == "private, no-store"


def test_a_stream_of_a_job_that_is_over_tells_its_events_once_and_the_end_as_the_last(api: ApiSite) -> None:
    job = api.job(JobStatus.COMPLETED)
    written = [event.id for event in events.list_events(api.services.database, job.id)]
    told = heard(api.owner, job.id)
    assert [event.id for event in told] == written
    assert [event.kind for event in told] == ["progress"] * (len(written) - 1) + ["end"]
    assert {event.data["status"] for event in told[:-1]} == {"PROCESSING"}
    assert (told[-1].data["status"], told[-1].data["message"]) == ("COMPLETED", "published")
    for place, id_ in enumerate(written[:-1]):
        assert heard(api.owner, job.id, after=id_) == told[place + 1 :]


def test_who_comes_back_after_the_end_is_told_it_again_but_no_event(api: ApiSite) -> None:
    job = api.job(JobStatus.EXPIRED)
    [*_, last] = events.list_events(api.services.database, job.id)
    by_query = api.owner.get(f"/api/exports/{job.id}/events", params={"lastEventId": str(last.id)})
    [end] = heard(api.owner, job.id, after=last.id)
    assert (end.kind, end.id, end.data["status"]) == ("end", None, "EXPIRED")
    assert by_query.text.count("event:") == 1


def test_a_last_id_that_we_never_gave_is_refused(api: ApiSite) -> None:
    job = api.job(JobStatus.CANCELLED)
    for sent in ("x", "-1", "1.5", "9" * 19, "1, 2"):
        answer = api.owner.get(f"/api/exports/{job.id}/events", headers={"Last-Event-ID": sent})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), sent


def test_both_are_described(api: ApiSite) -> None:
    paths: dict[str, Any] = api.owner.get("/api/openapi.json").json()["paths"]
    for call, media_type in (("status", "application/json"), ("events", "text/event-stream")):
        described = paths[f"/api/exports/{{export_id}}/{call}"]["get"]
        assert list(described["responses"]["200"]["content"]) == [media_type]
        assert {"401", "404", "422", "503"} <= set(described["responses"])
        assert described["security"]
