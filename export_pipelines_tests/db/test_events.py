"""The events of a job: in order, from any point on, never too many, gone with the job."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from export_pipelines.core.errors import SupersededError
from export_pipelines.db import events, jobs
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job, add_processing, at_percent, later, stored_file


def messages(database: Database, job_id: str) -> list[tuple[int, int, str]]:
    found = events.list_events(database, job_id)
    return [(event.attempt, event.progress_percent, event.message) for event in found]


def test_a_job_that_waits_has_none(database: Database) -> None:
    job = add_job(database)
    assert events.list_events(database, job.id) == ()
    assert events.last_event(database, job.id) is None


def test_the_whole_life_of_a_job_is_told_with_its_attempts(database: Database) -> None:
    job, ref = add_processing(database)
    jobs.report_progress(database, ref, at_percent(30), now=later(seconds=1))
    jobs.fail(database, job_id=job.id, attempt=1, error="broken", now=later(seconds=2))
    jobs.reopen(database, job.id, dagster_run_id=None, now=later(seconds=3), new_attempt=False)
    again = jobs.reopen(database, job.id, dagster_run_id=None, now=later(seconds=4), new_attempt=True)
    ref = jobs.ref_of(again)
    jobs.report_progress(database, ref, at_percent(10), now=later(seconds=5))
    jobs.complete(database, stored_file(ref), url="u", expires_at=later(hours=1), now=later(seconds=6))
    assert messages(database, job.id) == [
        (1, 0, "started"),
        (1, 30, "working"),
        (1, 30, "failed"),
        (1, 30, "continued"),
        (2, 0, "started again from nothing: what attempt 1 read is not, or no longer, all in staging"),
        (2, 10, "working"),
        (2, 100, "published"),
    ]


def test_a_stream_goes_on_after_the_last_event_it_has(database: Database) -> None:
    job, ref = add_processing(database)
    for percent in (1, 2, 3):
        jobs.report_progress(database, ref, at_percent(percent), now=NOW)
    found = events.list_events(database, job.id)
    assert [event.id for event in found] == sorted({event.id for event in found})
    assert events.list_events(database, job.id, after_id=found[1].id) == found[2:]
    assert events.list_events(database, job.id, after_id=found[-1].id) == ()
    assert events.last_event(database, job.id) == found[-1]


def test_a_report_that_came_too_late_leaves_no_event(database: Database) -> None:
    job, ref = add_processing(database)
    jobs.cancel(database, job.id, now=NOW)
    with pytest.raises(SupersededError):
        jobs.report_progress(database, ref, at_percent(50), now=NOW)
    assert messages(database, job.id)[-1] == (1, 0, "cancelled")


def test_a_long_job_keeps_fewer_and_fewer_of_its_old_events(database: Database) -> None:
    job, ref = add_processing(database)
    statement = """
        INSERT INTO {exports}.export_events (job_id, attempt, progress_percent, rows_done, bytes_done, message, at)
        SELECT %s, 1, 1, number, 0, 'old', now() FROM generate_series(1, %s) AS number"""
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(database.sql(statement).encode(), (job.id, events.KEPT - 1))
    jobs.report_progress(database, ref, at_percent(50), now=NOW)
    found = events.list_events(database, job.id)
    assert len(found) == events.KEPT // 2 + 1
    assert (found[0].message, found[-1].message) == ("started", "working")
    for percent in range(50, 53):
        jobs.report_progress(database, ref, at_percent(percent), now=NOW)
    assert len(events.list_events(database, job.id)) == len(found) + 3


def test_another_jobs_events_are_left_alone(database: Database) -> None:
    _, ref = add_processing(database)
    other, _ = add_processing(database)
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(b"DELETE FROM exports.export_jobs WHERE id = %s", (ref.job_id,))
    assert events.list_events(database, ref.job_id) == ()
    assert messages(database, other.id) == [(1, 0, "started")]


def test_who_follows_while_many_write_misses_none(database: Database) -> None:
    job, ref = add_processing(database)
    seen: list[events.Event] = []

    def follow() -> None:
        while len(seen) < 81:
            seen.extend(events.list_events(database, job.id, after_id=seen[-1].id if seen else 0))

    def write(percent: int) -> None:
        jobs.report_progress(database, ref, at_percent(percent % 90), now=NOW)

    with ThreadPoolExecutor(5) as pool:
        following = pool.submit(follow)
        list(pool.map(write, range(80)))
        following.result(timeout=60)
    assert tuple(seen) == events.list_events(database, job.id)
    percents = [event.progress_percent for event in seen]
    assert percents == sorted(percents)
