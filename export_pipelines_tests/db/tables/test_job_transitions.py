"""The database itself refuses every change of a job's status that ``core.jobs.TRANSITIONS`` does not list."""

import itertools
from contextlib import nullcontext

import psycopg
import pytest

from export_pipelines.core.jobs import TRANSITIONS, JobStatus
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import add_user

PAIRS = [pair for pair in itertools.product(JobStatus, JobStatus) if pair[0] is not pair[1]]
INSERT = """
INSERT INTO exports.export_jobs (id, user_id, type, input, status, attempt, error, output_url, completed_at, expires_at)
VALUES ('cjob', %s, 'X', '{}', %s, 3, 'error', 'url', now(), now() + interval '1 hour')
"""


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=[f"{before} to {after}" for before, after in PAIRS])
def test_a_status_changes_only_as_the_table_of_transitions_says(
    database: Database, before: JobStatus, after: JobStatus
) -> None:
    user = add_user(database)
    with database.raw_connection() as connection:
        connection.execute(INSERT, [user, before])
        refused = pytest.raises(psycopg.errors.CheckViolation, match=f"cannot go from {before} to {after}")
        with nullcontext() if after in TRANSITIONS[before] else refused:
            connection.execute("UPDATE exports.export_jobs SET status = %s", [after])


@pytest.mark.parametrize("status", JobStatus)
def test_a_status_may_be_set_to_what_it_is(database: Database, status: JobStatus) -> None:
    with database.raw_connection() as connection:
        connection.execute(INSERT, [add_user(database), status])
        connection.execute("UPDATE exports.export_jobs SET status = %s", [status])


def test_an_attempt_never_falls(database: Database) -> None:
    with database.raw_connection() as connection:
        connection.execute(INSERT, [add_user(database), "FAILED"])
        connection.execute("UPDATE exports.export_jobs SET attempt = attempt")
        connection.execute("UPDATE exports.export_jobs SET attempt = attempt + 1")
        with pytest.raises(psycopg.errors.CheckViolation, match="from attempt 4 to 3"):
            connection.execute("UPDATE exports.export_jobs SET attempt = 3")
