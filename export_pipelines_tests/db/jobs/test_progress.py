"""Reports of steps that work beside each other: they add up, once each, and never fall."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.frozen import Part, Shard
from export_pipelines.core.jobs import ExportJob, JobRef
from export_pipelines.core.progress import Phase, Report
from export_pipelines.db import events, jobs, ledger
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_processing, later, staged

RENDERING = Phase(name="rendering", begin=40, end=85)
ROWS = 100


def freeze(database: Database, ref: JobRef, shards: int) -> None:
    for index in range(shards):
        shard = Shard(index=index, rows=ROWS, copy_bytes=ROWS * 10, staged=staged(f"s/{index}"))
        ledger.commit_frozen(database, ref, shard)


def rendered(database: Database, ref: JobRef, index: int) -> None:
    body = staged(f"p/{index}")
    part = Part(shard_index=index, rows=ROWS, records=ROWS, body=body, index=None, fidelity=())
    ledger.commit_rendered(database, ref, part)


def report(database: Database, ref: JobRef, shard: int, rows: int, *, shards: int, second: float = 0) -> ExportJob:
    told = Report(
        phase=RENDERING,
        message=f"rendering shard {shard + 1} of {shards}",
        rows_done=rows,
        rows_total=ROWS * shards,
        bytes_done=rows * 10,
        shard=shard,
    )
    return jobs.report_progress(database, ref, told, now=later(seconds=second))


def test_the_shards_add_up(database: Database) -> None:
    _, ref = add_processing(database)
    freeze(database, ref, 4)
    report(database, ref, 0, 50, shards=4, second=1)
    job = report(database, ref, 2, 100, shards=4, second=2)
    assert (job.rows_done, job.rows_total, job.bytes_done) == (150, 400, 1500)
    assert job.progress_percent == 40 + 45 * 150 // 400
    assert job.phase == "rendering"
    assert job.bytes_per_second == pytest.approx(500, rel=0.2)
    assert job.estimated_finish_at is not None
    assert jobs.get(database, ref.job_id) == job


def test_a_shard_that_is_rendered_again_counts_once_and_nothing_falls(database: Database) -> None:
    _, ref = add_processing(database)
    freeze(database, ref, 2)
    counts = [report(database, ref, 0, rows, shards=2).rows_done for rows in (80, 0, 40, 90)]
    assert counts == [80, 80, 80, 90]
    rendered(database, ref, 0)
    assert report(database, ref, 0, 10, shards=2).rows_done == ROWS
    assert report(database, ref, 1, 500, shards=2).rows_done == 2 * ROWS


def test_a_run_that_goes_on_later_begins_with_what_was_rendered_before(database: Database) -> None:
    job, ref = add_processing(database)
    freeze(database, ref, 3)
    report(database, ref, 0, ROWS, shards=3, second=1)
    rendered(database, ref, 0)
    jobs.fail(database, job_id=job.id, attempt=1, error="broken", now=later(seconds=2))
    failed = jobs.get(database, job.id)
    assert (failed.progress_percent, failed.bytes_per_second, failed.estimated_finish_at) == (55, None, None)
    jobs.reopen(database, job.id, dagster_run_id="run-2", now=later(hours=1), new_attempt=False)
    on = report(database, ref, 1, 50, shards=3, second=3601)
    assert (on.rows_done, on.progress_percent) == (150, 62)
    # The hour in which nobody worked is no part of the rate.
    assert on.bytes_per_second == pytest.approx(500)


def test_a_new_attempt_begins_from_nothing(database: Database) -> None:
    job, ref = add_processing(database)
    freeze(database, ref, 1)
    report(database, ref, 0, ROWS, shards=1)
    again = jobs.reopen(database, job.id, dagster_run_id=None, now=NOW, new_attempt=True)
    assert (again.progress_percent, again.phase, again.rows_done, again.rows_total, again.bytes_done) == (
        0,
        None,
        0,
        None,
        0,
    )


def test_percent_is_never_a_hundred_before_the_file_is_published(database: Database) -> None:
    _, ref = add_processing(database)
    whole = Report(phase=Phase(name="p", begin=0, end=100), message="m", bytes_done=1, bytes_total=1)
    assert jobs.report_progress(database, ref, whole, now=NOW).progress_percent == 99
    with pytest.raises(ValidationError, match="whole_only_when_published"), database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE exports.export_jobs SET progress_percent = 100")


@pytest.mark.parametrize("seed", range(3))
def test_many_workers_with_retries_never_make_a_number_fall(database: Database, seed: int) -> None:
    _, ref = add_processing(database)
    freeze(database, ref, 8)

    def render(index: int) -> None:
        chance = random.Random(seed * 100 + index)
        for _ in range(chance.randint(0, 2)):
            report(database, ref, index, chance.randint(0, ROWS), shards=8)
        for rows in range(0, ROWS + 1, 25):
            report(database, ref, index, rows, shards=8)
        rendered(database, ref, index)
        report(database, ref, index, ROWS, shards=8)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(render, range(8)))
    told = events.list_events(database, ref.job_id)
    for number in ("progress_percent", "rows_done", "bytes_done"):
        numbers = [getattr(event, number) for event in told]
        assert numbers == sorted(numbers)
    assert (told[-1].rows_done, told[-1].bytes_done, told[-1].progress_percent) == (800, 8000, 85)
