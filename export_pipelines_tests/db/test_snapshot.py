"""Snapshots: one instant, whoever writes meanwhile; limits; and nothing left running."""

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from export_pipelines.core.errors import DatabaseUnavailableError, ExportPipelinesError
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import Snapshot, open_snapshot
from export_pipelines.db.sources.source import typed
from export_pipelines_tests.db.binary import read_tuples
from export_pipelines_tests.db.rows import add_tag, add_user

ALL_TAGS = "SELECT name::text AS name FROM {evaluation}.tags ORDER BY name"
ENDLESS = "SELECT i::text AS i, pg_sleep(0.001) FROM generate_series(1, 60000) i"


class Interrupted(BaseException):
    """What a worker is stopped with: no ``Exception``."""


@contextmanager
def writing(database: Database) -> Iterator[None]:
    """Somebody who adds a tag and removes another, in one transaction, again and again."""
    stop = threading.Event()

    def write() -> None:
        with database.raw_connection() as connection:
            while not stop.is_set():
                connection.execute("DELETE FROM evaluation.tags WHERE name = (SELECT min(name) FROM evaluation.tags)")
                connection.execute(
                    "INSERT INTO evaluation.tags (id, name) VALUES (%s, %s)",
                    [secrets.token_hex(8), f"{time.time_ns()}"],
                )
                connection.commit()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def tags(snapshot: Snapshot) -> list[str]:
    return [row["name"] for row in snapshot.rows(ALL_TAGS)]


def present_tags(database: Database) -> list[str]:
    with open_snapshot(database) as snapshot:
        return tags(snapshot)


def running(database: Database, application: str, *, seconds: float = 0) -> list[str]:
    """The queries that the application has been running for so long."""
    query = """
        SELECT query FROM pg_stat_activity
        WHERE application_name = %s AND state = 'active'
            AND clock_timestamp() - query_start > make_interval(secs => %s)"""
    with database.raw_connection() as connection:
        return [row[0] for row in connection.execute(query, [application, seconds])]


def wait_until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_every_way_of_reading_sees_the_same_instant_while_somebody_writes(database: Database) -> None:
    for number in range(50):
        add_tag(database, f"{number:04}")
    with writing(database), open_snapshot(database) as snapshot:
        first = tags(snapshot)
        assert len(first) == 50
        # The world has moved on before each reading.
        for read in (
            lambda: tags(snapshot),
            lambda: [row["name"] for row in snapshot.stream_rows(ALL_TAGS)],
            lambda: [row["name"] for row in read_tuples(snapshot.copy(ALL_TAGS), typed(name="text"))],
        ):
            wait_until(lambda: present_tags(database) != first)
            assert read() == first
        with snapshot.reader() as one, snapshot.reader() as other:
            assert tags(one) == tags(other) == first
            assert one.facts == snapshot.facts
        assert snapshot.value("SELECT count(*) FROM {evaluation}.tags") == 50


def test_the_facts_name_the_instant(database: Database) -> None:
    before = datetime.now(UTC)
    with open_snapshot(database) as snapshot:
        facts = snapshot.facts
    assert before - timedelta(seconds=1) < facts.taken_at < datetime.now(UTC) + timedelta(seconds=1)
    assert facts.taken_at.utcoffset() == timedelta(0)
    assert facts.id.count("-") == 2
    assert facts.wal_lsn is not None
    assert "/" in facts.wal_lsn


def test_a_role_that_may_not_know_the_log_position_still_gets_its_snapshot(database: Database) -> None:
    role = f"reader_{secrets.token_hex(4)}"
    with database.raw_connection(autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role}; REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn() FROM PUBLIC".encode())
        try:
            separator = "&" if "?" in database.url else "?"
            with open_snapshot(Database(f"{database.url}{separator}options=-crole%3D{role}")) as snapshot:
                assert snapshot.facts.wal_lsn is None
                assert snapshot.value("SELECT current_user::text") == role
        finally:
            owner.execute(f"DROP ROLE {role}".encode())


def test_a_snapshot_cannot_write(database: Database) -> None:
    with open_snapshot(database) as snapshot, pytest.raises(ExportPipelinesError, match="read-only"):
        snapshot.rows("DELETE FROM {evaluation}.tags")


def test_a_value_of_no_row_is_none(database: Database) -> None:
    with open_snapshot(database) as snapshot:
        assert snapshot.value("SELECT 1 WHERE false") is None
        assert snapshot.rows("SELECT 1 AS one WHERE %(yes)s", {"yes": True}) == [{"one": 1}]


def test_streaming_goes_through_many_fetches_and_several_streams(database: Database) -> None:
    with open_snapshot(database) as snapshot:
        for _ in range(2):
            got = [row["i"] for row in snapshot.stream_rows("SELECT i FROM generate_series(1, %(n)s) i", {"n": 2_500})]
            assert got == list(range(1, 2_501))


@pytest.mark.parametrize("way", ["rows", "stream_rows", "copy"])
def test_a_statement_that_outlasts_its_limit_names_the_setting(database: Database, way: str) -> None:
    impatient = Database(database.url, statement_timeout_seconds=1)
    named = pytest.raises(DatabaseUnavailableError, match="EXPORT_PIPELINES_STATEMENT_TIMEOUT_SECONDS")
    with named, open_snapshot(impatient) as snapshot:
        list(getattr(snapshot, way)(ENDLESS))


def test_the_limits_hold_for_readers_too(database: Database) -> None:
    with open_snapshot(Database(database.url, statement_timeout_seconds=77)) as snapshot, snapshot.reader() as reader:
        assert reader.value("SHOW statement_timeout") == "77s"
        assert reader.value("SHOW idle_in_transaction_session_timeout") == "2h"


def test_a_snapshot_that_is_held_too_long_names_the_setting(database: Database) -> None:
    forgetful = Database(database.url, snapshot_hold_seconds=1)
    named = pytest.raises(DatabaseUnavailableError, match="EXPORT_PIPELINES_SNAPSHOT_HOLD_SECONDS")
    with named, open_snapshot(forgetful) as snapshot:
        time.sleep(1.5)
        snapshot.value("SELECT 1")


@pytest.mark.parametrize("way", ["value", "copy", "stream_rows"])
def test_an_interrupted_worker_leaves_no_query_running(database: Database, way: str) -> None:
    application = f"interrupted-{way}"
    separator = "&" if "?" in database.url else "?"
    own = Database(f"{database.url}{separator}application_name={application}")
    statement = "SELECT 'x' AS x, pg_sleep(60)"

    def interrupt(*_: object) -> None:
        raise Interrupted

    def interrupt_when_running() -> None:
        wait_until(lambda: running(database, application, seconds=0.5) != [])
        os.kill(os.getpid(), signal.SIGUSR1)

    previous = signal.signal(signal.SIGUSR1, interrupt)
    thread = threading.Thread(target=interrupt_when_running)
    try:
        thread.start()
        with pytest.raises(Interrupted), open_snapshot(own) as snapshot:
            list(getattr(snapshot, way)(statement))
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, previous)
    wait_until(lambda: running(database, application) == [], seconds=3)


def test_a_reader_that_stops_early_leaves_no_query_running(database: Database) -> None:
    separator = "&" if "?" in database.url else "?"
    own = Database(f"{database.url}{separator}application_name=stops-early")
    with open_snapshot(own) as snapshot:
        stream = snapshot.copy(ENDLESS)
        next(stream)
    wait_until(lambda: running(database, "stops-early") == [], seconds=3)
    stream.close()  # type: ignore[attr-defined]


def test_a_lost_connection_is_an_error_worth_a_retry(database: Database) -> None:
    with open_snapshot(database) as snapshot:
        process = snapshot.value("SELECT pg_backend_pid()")
        with database.raw_connection(autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [process])
        with pytest.raises(DatabaseUnavailableError):
            snapshot.value("SELECT 1")


def test_holding_a_snapshot_does_not_keep_writers_waiting(database: Database) -> None:
    with open_snapshot(database) as snapshot:
        assert snapshot.value("SELECT count(*) FROM {evaluation}.users") == 0
        add_user(database)
        assert snapshot.value("SELECT count(*) FROM {evaluation}.users") == 0


def test_schemas_of_the_deployment_are_read(empty_database: str) -> None:
    with psycopg.connect(empty_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("""CREATE SCHEMA "App"; CREATE TABLE "App".tags (name varchar)""")
        connection.execute("""INSERT INTO "App".tags VALUES ('here')""")
    with open_snapshot(Database(empty_database, schemas={"evaluation": "App"})) as snapshot:
        assert tags(snapshot) == ["here"]
