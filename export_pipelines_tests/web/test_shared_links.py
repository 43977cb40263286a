"""Links of shares: counted for their share, and closed the moment it is revoked."""

import httpx
import pytest

from export_pipelines.core.shares import NewShare, Share
from export_pipelines.db import audit, shares
from export_pipelines.storage import links
from export_pipelines_tests.db.rows import add_user, later
from export_pipelines_tests.web.site import SECRET, Export, Site


@pytest.fixture
def export(local_site: Site) -> Export:
    return local_site.publish()


def give(site: Site, export: Export, *, user_id: str | None = None) -> Share:
    new = NewShare(
        job_id=export.job.id,
        created_by=export.job.user_id,
        user_id=user_id,
        email=None if user_id else "eve@example.net",
        message="",
        expires_at=later(hours=12),
    )
    return shares.create(site.database, new, recipient="eve@example.net", sharer="Ada", now=site.clock.now)


def path(share: Share) -> str:
    token = links.mint(
        SECRET, job_id=share.job_id, expires_at=later(days=30), person=share.user_id, share_id=share.id
    )  # fmt: skip
    return f"/downloads/{token}"


def counts(site: Site, export: Export) -> dict[str, int]:
    return {share.id: share.download_count for share in shares.list_for_job(site.database, export.job.id)}


def ended(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (410, "share-ended")


def test_each_share_counts_its_own_downloads_and_the_job_counts_all(local_site: Site, export: Export) -> None:
    viewer = add_user(local_site.database)
    outside, inside = give(local_site, export), give(local_site, export, user_id=viewer)
    for share in (outside, inside, inside):
        assert local_site.http.get(path(share)).content == export.data
    assert local_site.http.get(export.path).status_code == 200
    assert counts(local_site, export) == {outside.id: 1, inside.id: 2}
    assert local_site.count(export) == 4
    entries = audit.list_for_job(local_site.database, export.job.id)[-4:]
    assert [(entry.action, entry.data.get("share_id")) for entry in entries] == [
        ("downloaded", outside.id),
        ("downloaded", inside.id),
        ("downloaded", inside.id),
        ("downloaded", None),
    ]
    assert [entry.actor.user_id for entry in entries] == [None, viewer, viewer, None]


def test_a_share_counts_its_first_bytes_whatever_others_have_had(local_site: Site, export: Export) -> None:
    local_site.http.get(export.path)
    share = give(local_site, export)
    for expected in (1, 1):
        assert local_site.http.get(path(share), headers={"Range": "bytes=5-"}).content == export.data[5:]
        assert counts(local_site, export) == {share.id: expected}
    local_site.http.head(path(share))
    local_site.http.get(path(share) + "/manifest")
    assert counts(local_site, export) == {share.id: 1}


def test_from_the_moment_that_a_share_is_revoked_its_links_open_nothing(local_site: Site, export: Export) -> None:
    revoked, kept = give(local_site, export), give(local_site, export)
    assert local_site.http.get(path(revoked)).status_code == 200
    shares.revoke(local_site.database, revoked.id, job_id=export.job.id, now=local_site.clock.now)
    for ask in ("", "/manifest"):
        assert ended(local_site.http.get(path(revoked) + ask))
    assert local_site.http.head(path(revoked)).status_code == 410
    assert ended(local_site.http.get(path(revoked), headers={"Range": "bytes=5-"}))
    assert local_site.http.get(path(kept)).status_code == 200
    assert local_site.http.get(export.path).status_code == 200
    assert counts(local_site, export) == {revoked.id: 1, kept.id: 1}
    refused = [entry for entry in audit.list_for_job(local_site.database, export.job.id) if "code" in entry.data]
    assert [(entry.action, entry.data["code"]) for entry in refused] == [("link_refused", "share-ended")]


def test_a_share_that_is_over_opens_nothing_though_the_file_is_there(local_site: Site, export: Export) -> None:
    share = give(local_site, export)
    local_site.clock.go_on(hours=12)
    assert ended(local_site.http.get(path(share)))
    assert local_site.http.get(export.path).status_code == 200


def test_the_link_of_a_share_that_is_gone_opens_nothing(local_site: Site, export: Export) -> None:
    share = give(local_site, export)
    with local_site.database.raw_connection(autocommit=True) as connection:
        connection.execute("DELETE FROM exports.export_shares")
    assert ended(local_site.http.get(path(share)))
