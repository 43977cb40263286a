"""Migrations: there and back, many at once, and beside an application's own tables."""

import subprocess
import sys

import pytest
from sqlalchemy import inspect, text

from export_pipelines.core.errors import ValidationError
from export_pipelines.db import jobs, migrate
from export_pipelines.db.database import Database
from export_pipelines.db.drift import drift
from export_pipelines_tests.db.rows import add_user

ONE_PROCESS = """
import sys
from export_pipelines.db import migrate
from export_pipelines.db.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade(database)
print(migrate.current(database))
"""


@pytest.fixture
def empty(empty_database: str) -> Database:
    return Database(empty_database)


def test_up_down_and_up_again_leaves_nothing_behind_and_nothing_different(empty: Database) -> None:
    assert migrate.current(empty) is None
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.newest()
    assert drift(empty) == []
    migrate.downgrade(empty, steps=1_000)
    assert migrate.current(empty) is None
    assert migrate.leftovers(empty) == []
    migrate.upgrade(empty)
    assert drift(empty) == []


def test_each_migration_can_be_taken_back_alone(empty: Database) -> None:
    migrate.upgrade(empty)
    seen = [migrate.current(empty)]
    while seen[-1] is not None:
        migrate.downgrade(empty, steps=1)
        seen.append(migrate.current(empty))
    assert seen == [
        "0013",
        "0012",
        "0011",
        "0010",
        "0009",
        "0008",
        "0007",
        "0006",
        "0005",
        "0004",
        "0003",
        "0002",
        "0001",
        None,
    ]
    migrate.downgrade(empty, steps=1)


def test_what_is_behind_the_newest_step_keeps_its_rows(empty: Database) -> None:
    migrate.upgrade(empty)
    add_user(empty, "ann@example.org")
    migrate.downgrade(empty, steps=1)
    migrate.upgrade(empty)
    with empty.transaction() as session:
        assert session.scalar(text("SELECT email FROM evaluation.users")) == "ann@example.org"


def test_rows_that_nobody_could_read_are_mended_where_their_rules_come_to_an_older_database(empty: Database) -> None:
    migrate.upgrade(empty)
    user_id = add_user(empty, "ann@example.org")
    while migrate.current(empty) != "0012":
        migrate.downgrade(empty, steps=1)
    odd = {
        "input": "[" * 5000 + "]" * 5000,
        "fidelity": "[1e5000]",
        "created_at": "-infinity",
        "launch_after": "infinity",
        "bytes_per_second": "NaN",
    }
    values = {**odd, "input": f'{{"a": {odd["input"]}}}', "user_id": user_id, "type": "BULK_CSV"}
    places = ", ".join(["%s"] * len(values))
    with empty.raw_connection(autocommit=True) as connection:
        statement = f"INSERT INTO exports.export_jobs ({', '.join(values)}) VALUES ({places})"
        connection.execute(statement.encode(), list(values.values()))
    migrate.upgrade(empty)
    [job] = jobs.list_jobs(empty)
    assert (job.input, job.fidelity, job.bytes_per_second) == ({}, (), None)
    assert (job.created_at.year, job.launch_after and job.launch_after.year, job.completed_at) == (1900, 8999, None)


def test_a_second_upgrade_changes_nothing(empty: Database) -> None:
    migrate.upgrade(empty)
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.newest()


def test_no_steps_back_is_refused(empty: Database) -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        migrate.downgrade(empty, steps=0)


def test_three_processes_may_migrate_at_once(empty_database: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_PROCESS, empty_database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    # All stand at the line before the first may run.
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, f"{migrate.newest()}\n"), err
    assert drift(Database(empty_database)) == []


def test_a_migration_that_breaks_leaves_the_database_as_it_was(empty: Database) -> None:
    with empty.raw_connection(autocommit=True) as connection:
        connection.execute("CREATE SCHEMA exports; CREATE TYPE exports.shard_state AS ENUM ('MINE')")
    with pytest.raises(Exception, match="already exists"):
        migrate.upgrade(empty)
    assert migrate.current(empty) is None
    assert migrate.leftovers(empty) == ["exports", "exports.shard_state"]


def test_an_applications_own_tables_are_used_and_not_touched(empty_database: str) -> None:
    plain = Database(empty_database)
    with plain.raw_connection(autocommit=True) as connection:
        connection.execute("CREATE TABLE public.users (id text PRIMARY KEY, mail text)")
        connection.execute("INSERT INTO public.users VALUES ('cann', 'ann@example.org')")
    database = Database(empty_database, schemas={"evaluation": "public", "exports": "Reports"})
    migrate.upgrade(database)
    assert drift(database) == []
    with database.transaction() as session:
        inspector = inspect(session.connection())
        assert inspector.get_table_names(schema="public") == ["users"]
        assert [column["name"] for column in inspector.get_columns("users", schema="public")] == ["id", "mail"]
        assert "evaluation" not in inspector.get_schema_names()
        assert "export_jobs" in inspector.get_table_names(schema="Reports")
    migrate.downgrade(database, steps=1_000)
    assert migrate.leftovers(database) == []
    with plain.raw_connection() as connection:
        assert connection.execute("SELECT * FROM public.users").fetchall() == [("cann", "ann@example.org")]


def test_exports_may_live_in_public_which_is_never_dropped(empty_database: str) -> None:
    database = Database(empty_database, schemas={"exports": "public"})
    migrate.upgrade(database)
    assert drift(database) == []
    migrate.downgrade(database, steps=1_000)
    assert migrate.leftovers(database) == ["public"]
