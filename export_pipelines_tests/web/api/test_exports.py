"""Listing exports, looking at one, ending one."""

from datetime import timedelta

import httpx
import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines_tests.db.rows import NOW, add_job
from export_pipelines_tests.web.api_site import ApiSite

EXPORTS = "/api/exports"


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def listed(api: ApiSite, *, by: str = "owner", **params: object) -> list[str]:
    return ids(api.clients[by].get(EXPORTS, params=params))  # type: ignore[arg-type]


def test_pages_hold_every_job_once_also_those_of_one_moment(api: ApiSite) -> None:
    owner = api.people["owner"]
    made = [add_job(api.services.database, user_id=owner, now=NOW + timedelta(seconds=n // 3)).id for n in range(10)]
    seen: list[str] = []
    params: dict[str, str] = {"limit": "4"}
    while True:
        answer = api.owner.get(EXPORTS, params=params)
        seen += ids(answer)
        # What is made meanwhile comes before what was seen, and disturbs nothing.
        add_job(api.services.database, user_id=owner, now=NOW + timedelta(hours=1))
        if answer.json()["next_cursor"] is None:
            break
        params["cursor"] = answer.json()["next_cursor"]
    newest_first = sorted(made, key=lambda each: (-(made.index(each) // 3), [-ord(letter) for letter in each]))
    assert seen == newest_first


def test_a_list_is_narrowed_down_by_what_is_asked(api: ApiSite) -> None:
    database, owner = api.services.database, api.people["owner"]
    csv = add_job(database, user_id=owner, title="April 100 %", now=NOW)
    jsonl = add_job(database, user_id=owner, type="BULK_JSONL", title="March", now=NOW + timedelta(hours=1))
    over = add_job(database, user_id=owner, title="May", now=NOW + timedelta(hours=2))
    jobs.cancel(database, over.id, now=NOW)
    add_job(database, user_id=api.people["other"], title="April")
    assert listed(api) == [over.id, jsonl.id, csv.id]
    assert listed(api, status="PENDING") == [jsonl.id, csv.id]
    assert listed(api, status=["PENDING", "CANCELLED"]) == [over.id, jsonl.id, csv.id]
    assert listed(api, type="bulk_jsonl") == [jsonl.id]
    assert listed(api, q="aPRIL") == listed(api, q="0 %") == [csv.id]
    assert listed(api, q=jsonl.id[-8:]) == [jsonl.id]
    assert listed(api, **{"from": "2026-03-01T13:00:00Z", "to": "2026-03-01T15:00:00+01:00"}) == [jsonl.id]


def test_other_peoples_are_for_administrators_and_for_those_they_are_shared_with(api: ApiSite) -> None:
    mine, shared, over = api.job(), api.job(), api.job()
    api.share(shared)
    api.share(over, days=-1)
    assert listed(api, by="other") == listed(api, by="viewer") == []
    assert listed(api, by="viewer", shared="true") == [shared.id]
    everybody = [over.id, shared.id, mine.id]
    assert listed(api, by="administrator", all="true") == everybody
    assert listed(api, by="administrator", user="owner@example.org") == everybody
    assert listed(api, by="administrator", user=api.people["viewer"]) == []
    for params in ({"all": "true"}, {"user": "owner@example.org"}, {"user": "nobody@example.org"}):
        assert api.clients["other"].get(EXPORTS, params=params).status_code == 403
    assert api.clients["administrator"].get(EXPORTS, params={"user": "nobody@example.org"}).status_code == 404


def test_what_cannot_be_read_is_refused(api: ApiSite) -> None:
    wrong = (
        {"cursor": "x"}, {"cursor": "AAAA"}, {"limit": "101"}, {"limit": "0"}, {"status": "DONE"}, {"type": "BULK_XML"},
        {"from": "yesterday"}, {"from": "2026-03-01T12:00:00"}, {"from": "0001-01-01T00:00:00+14:00"}, {"all": "1"},
        {"shared": "true", "all": "true"}, {"q": "\x00"}, {"q": "x" * 201}, {"colour": "red"},
    )  # fmt: skip
    for params in wrong:
        answer = api.clients["administrator"].get(EXPORTS, params=params)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), params


def test_a_time_that_fits_the_description_is_not_refused_for_its_shape(api: ApiSite) -> None:
    for name, time in (("from", "0001-02-01T00:00:00Z"), ("to", "9999-12-31T23:59:59-23:59")):
        answer = api.owner.get(EXPORTS, params={name: time})
        assert (answer.status_code, "errors" in answer.json()) == (422, False)
        assert "between 2 and 9998" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-03-01", "from: It must say its time zone too, like 2026-03-01T12:00:00Z. Correct"),
        ("2026-03-01T12:00:00", "from: It must be written like 2026-03-01T12:00:00Z, a day like 2026-03-01. Correct"),
    ],
)
def test_a_time_without_its_zone_is_refused_with_an_example(api: ApiSite, when: str, said: str) -> None:
    assert api.owner.get(EXPORTS, params={"from": when}).json()["detail"].startswith(said)


def test_an_export_is_shown_whole_but_for_where_it_lies(api: ApiSite) -> None:
    job = api.job(JobStatus.COMPLETED)
    api.share(job)
    shown = api.clients["viewer"].get(f"{EXPORTS}/{job.id}").json()
    assert shown == api.owner.get(f"{EXPORTS}/{job.id}").json()
    assert (shown["status"], shown["progress_percent"], shown["record_count"]) == ("COMPLETED", 100, 93)
    assert (shown["checksum"], shown["queue_position"]) == (job.checksum, None)
    assert shown["download"]["href"] == f"{EXPORTS}/{job.id}/download"
    assert shown["download"]["size"] == job.output_size_bytes
    assert shown["fidelity"][0].keys() == {"kind", "where", "detail", "count", "examples"}
    assert "output_path" not in shown
    assert "output_url" not in shown
    for client, status in (("other", 404), ("nobody", 401)):
        assert api.clients[client].get(f"{EXPORTS}/{job.id}").status_code == status
    for wrong in ("c0nothere", job.id[:8], "%00", "..%2F..%2Fetc%2Fpasswd", "é"):
        assert api.clients["administrator"].get(f"{EXPORTS}/{wrong}").status_code == 404
    assert api.owner.get(f"{EXPORTS}/{api.job(JobStatus.EXPIRED).id}").json()["download"] is None


def test_ending_cancels_what_is_not_over_and_deletes_what_is(api: ApiSite) -> None:
    database, store = api.services.database, api.services.store
    for status in (JobStatus.PENDING, JobStatus.PROCESSING):
        job = api.job(status)
        first = api.owner.delete(f"{EXPORTS}/{job.id}").json()
        assert (first["done"], first["export"]["status"]) == ("cancelled", "CANCELLED")
        assert jobs.get(database, job.id).status is JobStatus.CANCELLED
        assert audit.list_for_job(database, job.id)[-1].actor.user_id == api.people["owner"]
    for status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.EXPIRED, JobStatus.CANCELLED):
        job = api.job(status)
        assert api.clients["administrator"].delete(f"{EXPORTS}/{job.id}").json()["done"] == "deleted"
        assert api.owner.get(f"{EXPORTS}/{job.id}").status_code == 404
        assert job.output_path is None or store.stat(job.output_path) is None
        last = audit.list_for_job(database, job.id)[-1]
        assert (last.action, last.actor.user_id) == ("deleted", api.people["administrator"])


def test_only_the_owner_and_administrators_end_an_export(api: ApiSite) -> None:
    job = api.job()
    api.share(job)
    for client, status in (("viewer", 403), ("other", 404), ("nobody", 401)):
        assert api.clients[client].delete(f"{EXPORTS}/{job.id}").status_code == status
    assert jobs.get(api.services.database, job.id).status is JobStatus.PENDING
