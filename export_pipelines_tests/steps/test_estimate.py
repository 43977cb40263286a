"""Estimates: rows and bytes by the database, seconds by what this deployment's exports took."""

from dataclasses import replace

import pytest

from export_pipelines.catalog.types import export_type
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.steps.estimate import BEGINNING_SECONDS, estimate, shards_of
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines_tests.steps.orders import EVALUATION, order

BUNDLE = export_type("RUN_BUNDLE")
# A thousand rows whose neighbours are alike: five hundred short, then five hundred long ones.
MANY = """
INSERT INTO evaluation.transcripts
SELECT (jsonb_populate_record(t, jsonb_build_object('id', 'cmany' || lpad(n::text, 5, '0'), 'content',
    jsonb_build_object('text', (SELECT string_agg(md5((n * i)::text), '') FROM generate_series(1, n / 500 * 99 + 1) i))
))).*
FROM evaluation.transcripts t, generate_series(0, 999) n
WHERE t.id = (SELECT min(id) FROM evaluation.transcripts WHERE run_id = %s)
"""


def done(services: Services, *, rows: int, seconds: float, attempt: int = 1) -> None:
    """An export that has ended, as if of so many rows in so many seconds."""
    job = run_export(services, submit(services, order("RUN_BUNDLE")).id)
    with services.database.raw_connection() as connection:
        connection.execute(
            "UPDATE exports.export_jobs SET record_count = %s, attempt = %s, "
            "started_at = completed_at - make_interval(secs => %s) WHERE id = %s",
            [rows, attempt, seconds, job.id],
        )
        connection.commit()


def test_without_larger_exports_behind_it_the_time_is_by_bytes(services: Services) -> None:
    expected = estimate(services, BUNDLE, SHOWCASE_RUN_ID)
    assert (expected.rows, expected.counted) == (93, True)
    assert BEGINNING_SECONDS <= expected.seconds < BEGINNING_SECONDS + 0.2
    done(services, rows=999, seconds=500)
    assert estimate(services, BUNDLE, SHOWCASE_RUN_ID) == expected


def test_the_pace_of_the_latest_larger_exports_of_the_type_tells_the_time(services: Services) -> None:
    for seconds in (12.0, 22.0, 32.0):
        done(services, rows=10_000, seconds=seconds)
    done(services, rows=10_000, seconds=9999, attempt=2)
    assert {job.status for job in jobs.list_jobs(services.database)} == {JobStatus.COMPLETED}
    assert estimate(services, BUNDLE, SHOWCASE_RUN_ID).seconds == pytest.approx(
        BEGINNING_SECONDS + 93 * 0.002, abs=0.06
    )
    assert estimate(services, export_type("BULK_JSONL"), SHOWCASE_RUN_ID).seconds < BEGINNING_SECONDS + 0.1


def test_shards_are_those_that_the_export_then_has(services: Services) -> None:
    expected = estimate(services, BUNDLE, SHOWCASE_RUN_ID)
    job = run_export(services, submit(services, order("RUN_BUNDLE")).id)
    with services.database.raw_connection() as connection:
        row = connection.execute("SELECT count(*) FROM exports.export_shards WHERE job_id = %s", [job.id]).fetchone()
    assert row == (shards_of(services, expected),)
    assert shards_of(services, replace(expected, bytes=0)) == 1


def frozen(services: Services, type_name: str) -> tuple[str, int, int]:
    """The subject of an export, and the rows and bytes that it really read."""
    job = run_export(services, submit(services, order(type_name)).id)
    with services.database.raw_connection() as connection:
        row = connection.execute(
            "SELECT sum(rows)::int8, sum(copy_bytes)::int8 FROM exports.export_shards WHERE job_id = %s", [job.id]
        ).fetchone()
    assert row is not None
    return jobs.request_of(job).subject_id, *row


@pytest.mark.parametrize("type_name", [type_.name for type_ in EVALUATION if type_.noun != "definition"])
def test_rows_are_counted_and_bytes_are_about_those_that_are_read(services: Services, type_name: str) -> None:
    subject_id, rows, size = frozen(services, type_name)
    expected = estimate(services, export_type(type_name), subject_id)
    assert (expected.rows, expected.counted) == (rows, True)
    assert expected.bytes == pytest.approx(size, rel=0.1)


def test_of_many_rows_some_are_weighed_from_all_over_the_run(services: Services) -> None:
    with services.database.raw_connection() as connection:
        connection.execute(MANY.encode(), [SHOWCASE_RUN_ID])
        connection.commit()
    subject_id, rows, size = frozen(services, "RUN_BUNDLE")
    expected = estimate(services, BUNDLE, subject_id)
    assert expected.rows == rows > 1000
    assert expected.bytes == pytest.approx(size, rel=0.2)


def test_rows_of_the_audit_log_are_counted_and_weighed(services: Services) -> None:
    run_export(services, submit(services, order("DEFINITION_MD")).id)
    subject_id, rows, size = frozen(services, "AUDIT_JSONL")
    expected = estimate(services, export_type("AUDIT_JSONL"), subject_id)
    assert (expected.rows, expected.counted) == (rows, True)
    assert expected.bytes == pytest.approx(size, rel=0.25)
