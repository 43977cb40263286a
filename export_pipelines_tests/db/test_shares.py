"""Shares in the database: counted exactly, ended at once, and never for longer than the file."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from export_pipelines.core.cursors import Position
from export_pipelines.core.errors import ConflictError, NotFoundError, TooManyRequestsError, ValidationError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.shares import NewShare, Share
from export_pipelines.db import audit, deliveries, jobs, shares
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job, add_processing, add_user, later, stored_file

ENDS = later(hours=24)
COPIES = """
INSERT INTO exports.export_shares (id, job_id, created_by, email, expires_at, created_at)
SELECT 'copy' || number, job_id, created_by, email, expires_at, created_at
FROM exports.export_shares, generate_series(1, %(more)s) AS number WHERE id = %(id)s
"""


@pytest.fixture
def job(database: Database) -> ExportJob:
    _, ref = add_processing(database)
    return jobs.complete(database, stored_file(ref), url="http://x/downloads/t", expires_at=ENDS, now=NOW)


def give(database: Database, job: ExportJob, *, now: datetime = NOW, **fields: Any) -> Share:
    values = {"user_id": None, "email": "eve@example.net", "message": "", "expires_at": ENDS, **fields}
    new = NewShare(job_id=job.id, created_by=job.user_id, **values)
    return shares.create(database, new, recipient="eve@example.net", sharer="Ada", now=now)


def copy(database: Database, share: Share, *, times: int) -> None:
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(COPIES, {"id": share.id, "more": times})


def history(database: Database, job: ExportJob) -> list[tuple[str, str | None]]:
    return [(entry.action, entry.data.get("share_id")) for entry in audit.list_for_job(database, job.id)][4:]


def test_a_share_its_message_and_its_entry_in_the_log_are_written_together(database: Database, job: ExportJob) -> None:
    share = give(database, job, message="Here it is.")
    assert shares.get(database, share.id) == share
    [delivery] = deliveries.list_deliveries(database)
    assert (delivery.event, delivery.share_id, delivery.recipient) == ("export.shared", share.id, "eve@example.net")
    assert (delivery.data["shared_by"], delivery.data["message"]) == ("Ada", "Here it is.")
    assert history(database, job) == [("shared", share.id)]
    logged = audit.list_for_job(database, job.id)[-1].data
    assert (logged["email"], logged["person"]) == ("eve@example.net", None)
    assert "Here it is." not in str(logged)


def test_many_downloads_at_once_are_all_counted_for_the_job_and_their_own_share(
    database: Database, job: ExportJob
) -> None:
    one, other = give(database, job), give(database, job)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda share: shares.count_download(database, share, now=NOW), [one, other, one] * 10))
    jobs.count_download(database, job.id, now=NOW)
    counts = {share.id: share.download_count for share in shares.list_for_job(database, job.id)}
    assert counts == {one.id: 20, other.id: 10}
    assert jobs.get(database, job.id).download_count == 31
    assert history(database, job).count(("downloaded", one.id)) == 20
    assert shares.get(database, one.id).last_downloaded_at == NOW


def test_a_share_that_was_revoked_or_is_over_counts_nothing(database: Database, job: ExportJob) -> None:
    share, short = give(database, job), give(database, job, expires_at=later(hours=1))
    revoked = shares.revoke(database, share.id, job_id=job.id, now=later(minutes=1))
    again = shares.revoke(database, share.id, job_id=job.id, now=later(minutes=2))
    assert (revoked.revoked_at, again.revoked_at) == (later(minutes=1), later(minutes=1))
    for ended in (share, short):
        with pytest.raises(ConflictError, match="was revoked or is over"):
            shares.count_download(database, ended, now=later(hours=1))
        with pytest.raises(ConflictError, match="was revoked or is over"):
            shares.note_link(database, ended, expires_at=later(hours=1), now=later(hours=1))
    assert jobs.get(database, job.id).download_count == 0
    assert history(database, job) == [("shared", share.id), ("shared", short.id), ("share_revoked", share.id)]


def test_a_viewer_holds_the_share_that_lasts_longest_until_none_is_left(database: Database, job: ExportJob) -> None:
    viewer = add_user(database)
    to_viewer = {"user_id": viewer, "email": None}
    long, short = give(database, job, **to_viewer), give(database, job, expires_at=later(hours=1), **to_viewer)
    held = [shares.held_by(database, job.id, user_id=user, now=NOW) for user in (viewer, add_user(database))]
    assert [share and share.id for share in held] == [long.id, None]
    shares.revoke(database, long.id, job_id=job.id, now=NOW)
    left = shares.held_by(database, job.id, user_id=viewer, now=NOW)
    assert left is not None
    assert left.id == short.id
    assert shares.held_by(database, job.id, user_id=viewer, now=later(hours=1)) is None


def test_only_a_file_that_lives_as_long_is_shared_and_not_with_the_whole_world(
    database: Database, job: ExportJob
) -> None:
    for unshareable in (add_job(database), job):
        with pytest.raises(ConflictError, match="has no file for so long"):
            give(database, unshareable, expires_at=later(hours=25))
    first = give(database, job)
    copy(database, first, times=shares.MOST_IN_FORCE - 1)
    later_on = later(hours=1)
    with pytest.raises(ConflictError, match="is shared 100 times already"):
        give(database, job, now=later_on)
    shares.revoke(database, first.id, job_id=job.id, now=NOW)
    assert give(database, job, now=later_on).in_force(NOW)


def test_nobody_shares_without_end(database: Database, job: ExportJob) -> None:
    first = give(database, job)
    copy(database, first, times=shares.MOST_AN_HOUR - 1)
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE exports.export_shares SET revoked_at = now()")
    with pytest.raises(TooManyRequestsError, match="shared within an hour") as refused:
        give(database, job, now=later(minutes=59))
    assert refused.value.retry_after == 60
    assert give(database, job, now=later(hours=1)).in_force(NOW)


def test_shares_are_found_by_the_beginning_of_their_id_listed_in_pages_and_kept_from_other_jobs(
    database: Database, job: ExportJob
) -> None:
    given = [give(database, job, now=later(minutes=minute)) for minute in (0, 1, 1)]
    first = shares.list_for_job(database, job.id, limit=2)
    last = first[-1]
    rest = shares.list_for_job(database, job.id, after=Position(at=last.created_at, id=last.id), limit=2)
    assert sorted((*first, *rest), key=lambda share: share.id) == sorted(given, key=lambda share: share.id)
    assert rest == (given[0],)
    assert shares.find(database, last.id) == last
    with pytest.raises(ValidationError, match="type more of it"):
        shares.find(database, "c0")
    for unknown in ("c9nosuch", "../x"):
        with pytest.raises(NotFoundError, match="There is no share"):
            shares.find(database, unknown)
    with pytest.raises(NotFoundError, match="There is no share"):
        shares.revoke(database, last.id, job_id=add_job(database).id, now=NOW)


def test_shares_and_their_messages_go_with_the_job(database: Database, job: ExportJob) -> None:
    share = give(database, job)
    jobs.delete(database, job.id, now=NOW)
    with pytest.raises(NotFoundError):
        shares.get(database, share.id)
    assert deliveries.list_deliveries(database) == ()
    assert shares.count_download(database, share, now=NOW) is None
