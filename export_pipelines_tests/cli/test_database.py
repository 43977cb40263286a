"""``export-pipelines db``: migrations, example data and the embedded server, from outside."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from export_pipelines.db import embedded
from export_pipelines.db.database import Database
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.postgres import reachable_folder


def test_an_empty_database_is_migrated_seeded_taken_back_and_migrated_again(
    shared: Deployment, empty_database: str
) -> None:
    empty = replace(shared, services=replace(shared.services, database=Database(empty_database)))
    unprepared = empty.run("jobs")
    assert (unprepared.status, unprepared.out) == (2, "")
    assert "Run: export-pipelines db migrate" in unprepared.err
    newest = empty.run("db", "migrate").out
    assert newest.startswith("database is at 00")
    assert empty.run("db", "migrate").out == newest
    first, second = empty.run("db", "seed").out, empty.run("db", "seed").out
    assert int(first.split()[0]) > 400
    assert second.startswith("0 rows created; there are 3 users, ")
    assert empty.run("jobs").out.startswith("No export jobs.")
    assert empty.run("db", "rollback").out != newest
    assert empty.run("db", "rollback", "--steps", "99").out == "database is at no migration\n"
    assert empty.run("db", "migrate").out == newest
    empty.database.close()


def test_migrations_and_models_are_checked_in_a_database_of_their_own(shared: Deployment) -> None:
    with shared.database.raw_connection() as connection:
        before = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%scratch%'").fetchall()
    checked = shared.run("db", "check")
    assert (checked.status, checked.out, checked.err) == (0, "migrations and models agree\n", "")
    with shared.database.raw_connection() as connection:
        after = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%scratch%'").fetchall()
    assert after == before


def test_the_url_is_one_that_other_programs_take(shared: Deployment) -> None:
    # It is the one command whose answer is the whole URL, so the password is left out of this deployment.
    url = shared.run("db", "url", EXPORT_PIPELINES_DATABASE_URL=shared.database.url).out.strip()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM evaluation.runs").fetchone() == (True,)


@pytest.mark.parametrize("command", [("start",), ("stop",), ("status",), ("remove", "--yes")], ids=lambda c: c[0])
def test_the_embedded_servers_commands_are_refused_where_another_server_is_set(
    shared: Deployment, command: tuple[str, ...]
) -> None:
    refused = shared.run("db", *command)
    assert (refused.status, refused.out) == (2, "")
    assert refused.err == (
        "error: EXPORT_PIPELINES_DATABASE_URL is set, so there is no embedded server here; unset it.\n"
    )


@pytest.fixture
def home() -> Iterator[Path]:
    folder = reachable_folder("export-pipelines-tests-cli-")
    yield folder
    embedded.remove(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_embedded_server_starts_stays_and_is_removed(shared: Deployment, home: Path) -> None:
    def db(*arguments: str) -> tuple[int, str, str]:
        unset = {f"EXPORT_PIPELINES_{name}": None for name in ("DATABASE_URL", "DAGSTER_DATABASE_URL", "STORE_URL")}
        run = shared.script if arguments == ("start",) else shared.run
        ended = run("db", *arguments, **unset, EXPORT_PIPELINES_HOME=str(home))
        return ended.status, ended.out, ended.err

    status, out, err = db("status")
    assert (status, out) == (1, "")
    assert "`export-pipelines db start` starts it" in err
    status, url, err = db("start")
    assert (status, err) == (0, "")
    with psycopg.connect(url.strip()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert db("status")[0] == 0
    assert db("stop") == (0, "stopped\n", "")
    assert db("stop") == (0, "was not running\n", "")
    status, out, err = db("remove")
    assert (status, err.splitlines()[-1]) == (1, "error: nothing was done, since nobody said yes")
    assert db("remove", "--yes") == (0, "removed\n", "")
