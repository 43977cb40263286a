"""``/download``: another link each time, an hour long at most, and none where there is no file."""

from datetime import datetime, timedelta

import httpx

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, shares
from export_pipelines_tests.db.rows import later
from export_pipelines_tests.web.api_site import ApiSite


def link(api: ApiSite, job_id: str, *, by: str = "owner") -> tuple[str, datetime]:
    """What of the link is the site's own, and when it ends."""
    answer = api.clients[by].get(f"/api/exports/{job_id}/download")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told["download_url"].removeprefix(api.services.settings.public_url), datetime.fromisoformat(
        told["expires_at"]
    )


def test_a_link_opens_the_file_it_describes(api: ApiSite) -> None:
    job = api.job(JobStatus.COMPLETED)
    told = api.owner.get(f"/api/exports/{job.id}/download").json()
    file = httpx.get(api.url + told["download_url"].removeprefix(api.services.settings.public_url))
    assert (file.status_code, len(file.content)) == (200, told["size"])
    assert told["filename"] in file.headers["content-disposition"]
    assert told["checksum"] == job.checksum == file.headers["etag"].strip('"')
    assert set(told) == {"download_url", "expires_at", "filename", "size", "checksum"}


def test_each_link_is_another_and_each_is_in_the_audit_with_who_asked(api: ApiSite) -> None:
    job = api.job(JobStatus.COMPLETED)
    links = {link(api, job.id)[0] for _ in range(3)}
    assert len(links) == 3
    minted = [entry for entry in audit.list_for_job(api.services.database, job.id) if entry.action == "link_minted"]
    assert [entry.actor.user_id for entry in minted] == [None, *[api.people["owner"]] * 3]
    assert not any("downloads" in str(entry.data) for entry in minted)


def test_a_link_lives_an_hour_and_never_longer_than_the_file(api: ApiSite) -> None:
    job = api.job(JobStatus.COMPLETED)
    _, ends = link(api, job.id)
    assert timedelta(minutes=59) < ends - api.services.clock() <= timedelta(hours=1)
    soon = api.services.clock() + timedelta(minutes=5)
    with api.services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE exports.export_jobs SET expires_at = %s WHERE id = %s", (soon, job.id))
    assert soon - timedelta(seconds=1) < link(api, job.id)[1] <= soon


def test_a_viewers_link_counts_for_the_share_and_ends_with_it(api: ApiSite) -> None:
    job = api.job(JobStatus.COMPLETED)
    share_id = api.share(job)
    first, second = (link(api, job.id, by="viewer")[0] for _ in range(2))
    assert first != second
    assert httpx.get(api.url + first).status_code == 200
    assert shares.get(api.services.database, share_id).download_count == 1
    shares.revoke(api.services.database, share_id, job_id=job.id, now=api.services.clock())
    assert httpx.get(api.url + second).status_code == 410
    assert api.clients["viewer"].get(f"/api/exports/{job.id}/download").status_code == 404


def test_where_there_is_no_file_the_problem_says_whether_there_will_be(api: ApiSite) -> None:
    answers = dict.fromkeys(("PENDING", "PROCESSING", "FAILED", "CANCELLED"), (409, "conflict"))
    for name, answer in {**answers, "EXPIRED": (410, "file-gone")}.items():
        status = JobStatus(name)
        refused = api.owner.get(f"/api/exports/{api.job(status).id}/download")
        assert (refused.status_code, refused.json()["code"]) == answer
        assert status in refused.json()["detail"] or "kept until" in refused.json()["detail"]


def test_a_file_that_vanished_or_whose_time_is_over_is_gone(api: ApiSite) -> None:
    job, other = api.job(JobStatus.COMPLETED), api.job(JobStatus.COMPLETED)
    assert job.output_path is not None
    api.services.store.delete(job.output_path)
    with api.services.database.raw_connection(autocommit=True) as connection:
        times = (later(seconds=-1), later(), other.id)
        connection.execute("UPDATE exports.export_jobs SET completed_at = %s, expires_at = %s WHERE id = %s", times)
    for gone in (job, other):
        refused = api.owner.get(f"/api/exports/{gone.id}/download")
        assert (refused.status_code, refused.json()["code"]) == (410, "file-gone")
        assert refused.json()["detail"].endswith("start a new export.")
