"""Jobs being worked on: one claimant, one attempt, and progress that only grows."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from export_pipelines.core.errors import ConflictError, NotFoundError, SupersededError
from export_pipelines.core.jobs import JobRef, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job, add_processing, at_percent, later, stored_file


def actions(database: Database, job_id: str) -> list[str]:
    return [entry.action for entry in audit.list_for_job(database, job_id)]


def fail(database: Database, ref: JobRef) -> None:
    assert jobs.fail(database, job_id=ref.job_id, attempt=ref.attempt, error="broken", now=NOW)


def test_a_claimed_job_is_processing_and_says_for_whom(database: Database) -> None:
    job = add_job(database)
    claimed = jobs.claim(database, job.id, dagster_run_id="run-1", now=later(seconds=1))
    assert (claimed.status, claimed.attempt, claimed.dagster_run_id) == (JobStatus.PROCESSING, 1, "run-1")
    assert claimed.started_at == claimed.updated_at == later(seconds=1)
    assert actions(database, job.id) == ["created", "started"]
    assert audit.list_for_job(database, job.id)[1].data == {"attempt": 1, "dagster_run_id": "run-1"}


def test_a_claim_without_a_run_keeps_the_one_that_was_named_at_creation(database: Database) -> None:
    request = jobs.request_of(add_job(database))
    job = jobs.create(database, request, now=NOW, dagster_run_id="run-0")
    assert jobs.claim(database, job.id, dagster_run_id=None, now=NOW).dagster_run_id == "run-0"


def test_the_same_run_may_claim_twice_and_another_may_not(database: Database) -> None:
    job, _ = add_processing(database, dagster_run_id="run-1")
    assert jobs.claim(database, job.id, dagster_run_id="run-1", now=later(hours=1)) == job
    with pytest.raises(SupersededError, match="PROCESSING at attempt 1"):
        jobs.claim(database, job.id, dagster_run_id="run-2", now=NOW)
    with pytest.raises(SupersededError):
        jobs.claim(database, job.id, dagster_run_id=None, now=NOW)
    assert actions(database, job.id) == ["created", "started"]


def test_of_many_that_claim_at_once_one_gets_the_job(database: Database) -> None:
    job = add_job(database)

    def claim(number: int) -> bool:
        try:
            jobs.claim(database, job.id, dagster_run_id=f"run-{number}", now=NOW)
        except SupersededError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(claim, range(6))) == 1


def test_claiming_what_is_not_there_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError):
        jobs.claim(database, "cnothing", dagster_run_id=None, now=NOW)


def test_progress_never_falls_and_is_a_heartbeat(database: Database) -> None:
    job, ref = add_processing(database)
    for percent, minute in ((30, 2), (20, 3), (10, 1)):
        jobs.report_progress(database, ref, at_percent(percent), now=later(minutes=minute))
    after = jobs.get(database, job.id)
    assert (after.progress_percent, after.updated_at) == (30, later(minutes=3))


def test_a_failed_job_goes_on_under_the_same_attempt(database: Database) -> None:
    job, ref = add_processing(database)
    jobs.report_progress(database, ref, at_percent(40), now=NOW)
    fail(database, ref)
    again = jobs.reopen(database, job.id, dagster_run_id="run-2", now=later(hours=1), new_attempt=False)
    assert (again.status, again.attempt, again.progress_percent) == (JobStatus.PROCESSING, 1, 40)
    assert (again.error, again.dagster_run_id, again.started_at) == (None, "run-2", NOW)
    jobs.require_current(database, ref)
    assert actions(database, job.id) == ["created", "started", "failed", "started"]


def test_a_new_attempt_begins_from_nothing_and_fences_the_old_one_off(database: Database) -> None:
    job, old = add_processing(database)
    jobs.report_progress(database, old, at_percent(40), now=NOW)
    again = jobs.reopen(database, job.id, dagster_run_id="run-2", now=later(hours=1), new_attempt=True)
    assert (again.status, again.attempt, again.progress_percent) == (JobStatus.PROCESSING, 2, 0)
    assert again.started_at == later(hours=1)
    for late_work in (
        lambda: jobs.report_progress(database, old, at_percent(90), now=NOW),
        lambda: jobs.require_current(database, old),
        lambda: jobs.complete(database, stored_file(old), url="u", expires_at=later(hours=1), now=NOW),
    ):
        with pytest.raises(SupersededError, match="at attempt 2; what was done for attempt 1"):
            late_work()
    assert jobs.fail(database, job_id=job.id, attempt=1, error="late", now=NOW) is None
    assert jobs.get(database, job.id) == again


def test_of_two_that_reopen_at_once_one_gets_the_job(database: Database) -> None:
    job, ref = add_processing(database)
    fail(database, ref)

    def reopen(number: int) -> bool:
        try:
            jobs.reopen(database, job.id, dagster_run_id=f"run-{number}", now=later(minutes=number), new_attempt=False)
        except SupersededError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        taken = sum(pool.map(reopen, (1, 2)))
    # One after the other is possible too: the second then takes a job that the first is known to have lost.
    assert taken in (1, 2)
    assert jobs.get(database, job.id).attempt == 1


def test_steps_of_one_run_that_reopen_at_once_all_get_the_job(database: Database) -> None:
    job, ref = add_processing(database)
    fail(database, ref)

    def reopen(_: int) -> JobStatus:
        again = jobs.reopen(database, job.id, dagster_run_id="run-2", now=later(minutes=1), new_attempt=False)
        return again.status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(reopen, range(4))) == {JobStatus.PROCESSING}


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.CANCELLED])
def test_only_failed_or_interrupted_jobs_are_reopened(database: Database, status: JobStatus) -> None:
    job = add_job(database)
    if status is JobStatus.CANCELLED:
        jobs.cancel(database, job.id, now=NOW)
    with pytest.raises(ConflictError, match=f"is {status}"):
        jobs.reopen(database, job.id, dagster_run_id=None, now=NOW, new_attempt=True)


def test_a_cancelled_job_stops_its_worker_at_the_next_report(database: Database) -> None:
    job, ref = add_processing(database)
    by = audit.Actor(user_id="cadmin", address="192.0.2.7", user_agent="curl/8")
    assert jobs.cancel(database, job.id, now=NOW, actor=by).status is JobStatus.CANCELLED
    with pytest.raises(SupersededError, match="is CANCELLED"):
        jobs.report_progress(database, ref, at_percent(50), now=NOW)
    assert audit.list_for_job(database, job.id)[-1].actor == by


def test_cancelling_what_is_over_leaves_it_as_it_is(database: Database) -> None:
    job, ref = add_processing(database)
    done = jobs.complete(database, stored_file(ref), url="u", expires_at=later(hours=1), now=NOW)
    assert jobs.cancel(database, job.id, now=later(minutes=1)) == done
    assert actions(database, job.id) == ["created", "started", "completed", "link_minted"]
    with pytest.raises(NotFoundError):
        jobs.cancel(database, "cnothing", now=NOW)
