"""How jobs end, and what becomes of their files."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from export_pipelines.core.errors import NotFoundError, SupersededError, ValidationError
from export_pipelines.core.fidelity import FidelityNote
from export_pipelines.core.jobs import ExportJob, JobRef, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job, add_processing, later, stored_file

EXPIRY = later(hours=24)


def complete(database: Database, ref: JobRef, **fields: object) -> ExportJob:
    return jobs.complete(
        database, stored_file(ref, **fields), url="https://x/downloads/t", expires_at=EXPIRY, now=later(minutes=9)
    )


def test_a_completed_job_has_everything_known_of_its_file(database: Database) -> None:
    job, ref = add_processing(database)
    note = FidelityNote(kind="kind", where="where", detail="detail", count=3, examples=("c1",))
    done = complete(database, ref, fidelity=(note,))
    assert (done.status, done.progress_percent, done.error) == (JobStatus.COMPLETED, 100, None)
    assert (done.output_path, done.output_url) == (f"{ref.final_prefix}/file.csv", "https://x/downloads/t")
    assert (done.output_size_bytes, done.record_count, done.checksum) == (5_000_000_000, 7, "ab" * 32)
    assert done.fidelity == (note.as_json(),)
    assert (done.completed_at, done.expires_at) == (later(minutes=9), EXPIRY)
    entry, minted = audit.list_for_job(database, job.id)[-2:]
    assert (entry.action, entry.at) == ("completed", later(minutes=9))
    assert (minted.action, minted.data) == ("link_minted", {"expires_at": EXPIRY.isoformat()})
    file = {"size": 5_000_000_000, "sha256": "ab" * 32, "partial": False, "records": 7}
    usage = {"owner": job.user_id, "type": "BULK_CSV", "duration_ms": 540_000}
    assert entry.data == {"attempt": 1, **file, **usage}


def test_a_job_of_an_unfinished_run_says_so_once(database: Database) -> None:
    _, ref = add_processing(database)
    done = complete(database, ref, partial=True)
    assert [note["kind"] for note in done.fidelity] == ["partial_run"]
    _, other = add_processing(database)
    told = FidelityNote(kind="partial_run", where="run", detail="told before")
    assert complete(database, other, partial=True, fidelity=(told,)).fidelity == (told.as_json(),)


def test_recording_the_same_file_twice_leaves_the_row_and_another_file_is_refused(database: Database) -> None:
    job, ref = add_processing(database)
    done = complete(database, ref)
    assert complete(database, ref) == done
    with pytest.raises(SupersededError, match="is COMPLETED"):
        complete(database, ref, sha256="cd" * 32)
    assert [entry.action for entry in audit.list_for_job(database, job.id)].count("completed") == 1


def test_an_expiry_that_is_not_after_the_completion_is_refused_and_changes_nothing(database: Database) -> None:
    job, ref = add_processing(database)
    with pytest.raises(ValidationError, match="expires_after_completion"):
        jobs.complete(database, stored_file(ref), url="u", expires_at=NOW, now=NOW)
    assert jobs.get(database, job.id) == job


def test_completing_a_job_that_is_gone_is_not_found(database: Database) -> None:
    _, ref = add_processing(database)
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("DELETE FROM exports.export_jobs")
    with pytest.raises(NotFoundError):
        complete(database, ref)


def test_a_failed_job_has_its_error(database: Database) -> None:
    job, _ = add_processing(database)
    failed = jobs.fail(database, job_id=job.id, attempt=1, error="the store is full", now=later(minutes=1))
    assert failed is not None
    assert (failed.status, failed.error, failed.updated_at) == (
        JobStatus.FAILED,
        "the store is full",
        later(minutes=1),
    )
    assert audit.list_for_job(database, job.id)[-1].data == {
        "attempt": 1,
        "error": "the store is full",
        "owner": job.user_id,
        "type": "BULK_CSV",
        "duration_ms": 60_000,
    }


def test_a_pending_job_may_fail_and_any_attempt_may_be_meant(database: Database) -> None:
    job = add_job(database)
    assert jobs.fail(database, job_id=job.id, attempt=None, error="run was refused", now=NOW)


@pytest.mark.parametrize(
    ("error", "kept"),
    [("", "failed without a message"), (" \n", "failed without a message"), ("a\x00b\ud800c", "a�b?c")],
)
def test_a_failure_is_recorded_whatever_its_message(database: Database, error: str, kept: str) -> None:
    job = add_job(database)
    failed = jobs.fail(database, job_id=job.id, attempt=None, error=error, now=NOW)
    assert failed is not None
    assert failed.error == kept


def test_a_very_long_error_is_cut(database: Database) -> None:
    failed = jobs.fail(database, job_id=add_job(database).id, attempt=None, error="x" * 1_000_000, now=NOW)
    assert failed is not None
    assert failed.error == "x" * 10_000


def test_failing_what_is_over_or_gone_does_nothing(database: Database) -> None:
    job, ref = add_processing(database)
    done = complete(database, ref)
    assert jobs.fail(database, job_id=job.id, attempt=1, error="late", now=NOW) is None
    assert jobs.fail(database, job_id="cnothing", attempt=None, error="late", now=NOW) is None
    assert jobs.get(database, job.id) == done


def test_a_job_expires_once_and_not_before_its_time(database: Database) -> None:
    job, ref = add_processing(database)
    complete(database, ref)
    assert jobs.expire(database, job.id, now=later(hours=23)) is None
    expired = jobs.expire(database, job.id, now=EXPIRY)
    assert expired is not None
    assert expired.status is JobStatus.EXPIRED
    assert jobs.expire(database, job.id, now=EXPIRY) is None
    assert audit.list_for_job(database, job.id)[-1].data == {"output_path": expired.output_path}


def test_downloads_are_counted_and_audited_one_by_one(database: Database) -> None:
    job, ref = add_processing(database)
    complete(database, ref)
    by = audit.Actor(user_id=job.user_id, address="2001:db8::1", user_agent="Firefox")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: jobs.count_download(database, job.id, now=later(hours=1), actor=by), range(12)))
    assert jobs.get(database, job.id).download_count == 12
    downloads = [entry for entry in audit.list_for_job(database, job.id) if entry.action == "downloaded"]
    assert len(downloads) == 12
    assert {entry.actor for entry in downloads} == {by}


def test_nothing_is_counted_before_completion_after_expiry_or_for_nobody(database: Database) -> None:
    job, ref = add_processing(database)
    assert jobs.count_download(database, job.id, now=NOW) is None
    complete(database, ref)
    assert jobs.count_download(database, job.id, now=EXPIRY) is None
    assert jobs.count_download(database, "cnothing", now=NOW) is None
    assert jobs.get(database, job.id).download_count == 0
