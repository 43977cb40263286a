"""``/api/exports/{id}/share`` on a running service."""

from pathlib import PurePosixPath

import httpx
import pytest

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit
from export_pipelines_tests.web.api_site import ApiSite


@pytest.fixture
def job(api: ApiSite) -> ExportJob:
    return api.job(JobStatus.COMPLETED)


def share_path(job: ExportJob, *more: str) -> str:
    return "/".join(("/api/exports", job.id, "share", *more))


def fetched(api: ApiSite, link: str) -> httpx.Response:
    """By somebody who has nothing but the link."""
    return httpx.get(f"{api.url}/downloads/{PurePosixPath(link).name}")


def test_an_address_outside_gets_a_link_that_is_counted_apart_and_ends_at_once(api: ApiSite, job: ExportJob) -> None:
    wanted = {"to": "eve@example.org", "expiresInDays": 30, "message": "As promised."}
    given = api.owner.post(share_path(job), json=wanted)
    assert given.status_code == 201
    share = given.json()
    assert (share["shared_with"], share["user_id"], share["state"]) == ("eve@example.org", None, "IN_FORCE")
    assert (share["until_file_ends"], share["is_mailed"]) == (True, False)
    assert fetched(api, share["download_url"]).status_code == 200
    [listed] = api.owner.get(share_path(job)).json()["items"]
    assert (listed["id"], listed["download_count"]) == (share["id"], 1)
    assert "download_url" not in listed
    ended = api.owner.delete(share_path(job, share["id"]))
    assert (ended.status_code, ended.json()["state"]) == (200, "REVOKED")
    refused = fetched(api, share["download_url"])
    assert (refused.status_code, refused.json()["code"]) == (410, "share-ended")
    log = audit.list_for_job(api.services.database, job.id)
    told = [(entry.action, entry.actor.user_id) for entry in log if entry.data.get("share_id") == share["id"]]
    assert told == [("shared", api.people["owner"]), ("downloaded", None), ("share_revoked", api.people["owner"])]


def test_a_viewer_may_not_share_on_and_sees_nothing_once_it_is_revoked(api: ApiSite, job: ExportJob) -> None:
    viewer = api.clients["viewer"]
    assert viewer.get(share_path(job)).status_code == 404
    share = api.owner.post(share_path(job), json={"to": "viewer@example.org"}).json()
    assert (share["user_id"], share["shared_with"]) == (api.people["viewer"], "viewer@example.org")
    for answer in (
        viewer.get(share_path(job)),
        viewer.post(share_path(job), json={"to": "eve@example.org"}),
        viewer.delete(share_path(job, share["id"])),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert api.clients["administrator"].delete(share_path(job, share["id"])).status_code == 200
    assert viewer.get(share_path(job)).status_code == 404


def test_nobody_else_learns_of_the_job_or_of_another_jobs_shares(api: ApiSite, job: ExportJob) -> None:
    share = api.owner.post(share_path(job), json={"to": "eve@example.org"}).json()
    for role, status in (("other", 404), ("nobody", 401)):
        client = api.clients[role]
        answers = (
            client.get(share_path(job)),
            client.post(share_path(job), json={"to": "eve@example.org"}),
            client.delete(share_path(job, share["id"])),
        )
        assert {answer.status_code for answer in answers} == {status}
    own = api.job(JobStatus.COMPLETED, of="other")
    assert api.clients["other"].delete(share_path(own, share["id"])).status_code == 404
    for nonsense in ("c0nosuch", "..%2f..", "%00", "%ff"):
        assert api.owner.delete(share_path(job, nonsense)).status_code == 404
        assert api.owner.get(f"/api/exports/{nonsense}/share").status_code == 404


def test_the_list_comes_in_pages(api: ApiSite, job: ExportJob) -> None:
    given = [api.owner.post(share_path(job), json={"to": f"eve{n}@example.org"}).json()["id"] for n in range(3)]
    first = api.owner.get(share_path(job), params={"limit": 2}).json()
    rest = api.owner.get(share_path(job), params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [share["id"] for share in (*first["items"], *rest["items"])] == given[::-1]
    assert rest["next_cursor"] is None
    assert api.owner.get(share_path(job), params={"cursor": "nonsense"}).status_code == 422


def test_what_cannot_be_shared_is_refused_with_the_field_or_the_reason(api: ApiSite, job: ExportJob) -> None:
    for wanted, field in (
        ({}, "to"),
        ({"to": "eve@example.org", "expiresInDays": 31}, "expiresInDays"),
        ({"to": "eve@example.org", "expiresInDays": "2"}, "expiresInDays"),
        ({"to": "eve@example.org", "message": "x" * 2001}, "message"),
        ({"to": "eve@example.org", "days": 3}, "days"),
    ):
        refused = api.owner.post(share_path(job), json=wanted)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    for to, status in (("eve@", 422), ("owner@example.org", 422), ("c0nosuchuser", 404)):
        assert api.owner.post(share_path(job), json={"to": to}).status_code == status
    waiting = api.owner.post(share_path(api.job()), json={"to": "eve@example.org"})
    assert (waiting.status_code, waiting.json()["code"]) == (409, "conflict")
