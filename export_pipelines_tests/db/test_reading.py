"""Rows read by several connections at once: the same rows in the same order as by one, and nothing left running."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.database import Database
from export_pipelines.db.reading import first_rows, rows_of
from export_pipelines.db.snapshot import Snapshot, open_snapshot
from export_pipelines.db.sources.bundle import read_bundle
from export_pipelines.db.sources.source import Source
from export_pipelines.db.sources.transcripts import read_responses, read_transcripts
from export_pipelines_tests.db.rows import add_definition, add_run, add_scenario, add_transcript

# The rows of the model that comes first bytewise are there at once; the eight others take two seconds each.
SLOW = """
SELECT t.id::text AS id, pg_sleep(CASE t.target_model WHEN 'm:1' THEN 2 ELSE 0 END)
FROM {evaluation}.transcripts t
WHERE true{range}
ORDER BY t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C"
"""
QUICK_ROWS = 42


@pytest.fixture
def run(database: Database) -> str:
    """Fifty transcripts: of three scenarios, two models, and so alike that ranges end in the middle of a group."""
    definition = add_definition(database)
    run = add_run(database, definition, status="COMPLETED")
    scenarios = [add_scenario(database, definition, name) for name in ("a", "ä", "Z")]
    for number in range(50):
        content = {"turns": [{"promptLabel": "p", "probePrompt": "x" * number, "targetResponse": f"{number}\\ ü"}]}
        model = ("M:2", "m:1")[number % 7 == 0]
        add_transcript(database, run, scenarios[number % 3], model, id=f"c{number * 37 % 50:02d}", content=content)
    return run


@pytest.mark.parametrize("read", [read_transcripts, read_responses, read_bundle])
@pytest.mark.parametrize("range_rows", [1, 2, 7, 49, 50])
@pytest.mark.parametrize("readers", [2, 3, 9])
def test_rows_are_the_same_however_many_read_them(
    database: Database, run: str, read: Callable[..., Source], range_rows: int, readers: int
) -> None:
    with open_snapshot(database) as snapshot:
        source = read(snapshot, run, {})
        alone = list(rows_of(snapshot, source))
        together = list(rows_of(snapshot, source, readers=readers, range_rows=range_rows))
    assert len(alone) == 50
    assert together == alone


@pytest.mark.parametrize("read", [read_transcripts, read_responses, read_bundle])
def test_the_first_rows_are_those_that_an_export_begins_with_and_no_more_bytes_than_allowed(
    database: Database, run: str, read: Callable[..., Source]
) -> None:
    with open_snapshot(database) as snapshot:
        source = read(snapshot, run, {})
        everything = list(rows_of(snapshot, source))
        assert first_rows(snapshot, source, most=5, most_bytes=1 << 20) == everything[:5]
        assert first_rows(snapshot, source, most=50, most_bytes=len(everything[0]) + 1) == everything[:2]
        # What broke off the reading leaves the snapshot as it was.
        assert first_rows(snapshot, source, most=100, most_bytes=1 << 30) == everything


def test_a_snapshot_for_a_moment_ends_what_takes_longer(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError), open_snapshot(database, seconds=1) as snapshot:
        snapshot.value("SELECT pg_sleep(20)")


def test_all_readers_see_the_snapshot_and_nothing_later(database: Database, run: str) -> None:
    with open_snapshot(database) as snapshot:
        source = read_transcripts(snapshot, run, {})
        with database.raw_connection(autocommit=True) as connection:
            connection.execute("DELETE FROM evaluation.transcripts WHERE id < 'c25'")
        assert len(list(rows_of(snapshot, source, readers=4, range_rows=5))) == 50


def test_several_connections_really_read(database: Database, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = count_readers(monkeypatch)
    with open_snapshot(database) as snapshot:
        source = read_transcripts(snapshot, run, {})
        list(rows_of(snapshot, source, readers=3, range_rows=5))
        assert opened() == 3
        list(rows_of(snapshot, source, readers=3, range_rows=25))
        assert opened() == 3 + 2
        # A few rows are not worth another connection.
        list(rows_of(snapshot, source, readers=3))
        assert opened() == 3 + 2


def count_readers(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    number = 0
    original = Snapshot.reader

    def counted(self: Snapshot) -> Any:
        nonlocal number
        number += 1
        return original(self)

    monkeypatch.setattr(Snapshot, "reader", counted)
    return lambda: number


def test_whoever_stops_taking_rows_stops_the_readers(database: Database, run: str) -> None:
    with open_snapshot(database) as snapshot:
        source = read_transcripts(snapshot, run, {})
        rows = rows_of(snapshot, source, readers=3, range_rows=5)
        next(rows)
        rows.close()  # type: ignore[attr-defined]
        assert not reading_threads()
        assert snapshot.value("SELECT 1") == 1


def slow_rows(snapshot: Snapshot, run: str) -> Iterator[bytes]:
    """Two ranges, each with a reader of its own; the second waits for the server."""
    source = read_transcripts(snapshot, run, {})
    slow = Source(context={}, sql=SLOW, params=source.params, columns=(), counted_rows=50, split=source.split)
    return rows_of(snapshot, slow, readers=2, range_rows=QUICK_ROWS)


def test_readers_that_wait_for_the_server_are_not_waited_for(database: Database, run: str) -> None:
    with open_snapshot(database) as snapshot:
        rows = slow_rows(snapshot, run)
        for _ in range(QUICK_ROWS):
            next(rows)
        began = time.monotonic()
        rows.close()  # type: ignore[attr-defined]
        assert time.monotonic() - began < 5
        assert not reading_threads()


def test_a_reader_on_its_way_to_its_next_statement_is_not_waited_for_either(
    database: Database, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, cancel_readers = Snapshot.copy, Snapshot.cancel_readers
    cancelled = threading.Event()

    def late_copy(self: Snapshot, sql: str, params: Any = None) -> Iterator[bytes]:
        if threading.current_thread().name.startswith("reader") and "from_" in sql:
            assert cancelled.wait(timeout=20)
        return copy(self, sql, params)

    def noted(self: Snapshot) -> None:
        cancel_readers(self)
        if self is snapshot:
            cancelled.set()

    monkeypatch.setattr(Snapshot, "copy", late_copy)
    monkeypatch.setattr(Snapshot, "cancel_readers", noted)
    with open_snapshot(database) as snapshot:
        rows = slow_rows(snapshot, run)
        next(rows)
        began = time.monotonic()
        rows.close()  # type: ignore[attr-defined]
        assert cancelled.is_set()
        assert time.monotonic() - began < 5
        assert not reading_threads()


def test_an_interruption_while_readers_are_begun_ends_those_that_are(
    database: Database, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = ThreadPoolExecutor.submit
    begun: list[object] = []
    interrupted_at: list[float] = []

    def interrupted(self: ThreadPoolExecutor, work: Any) -> Any:
        if begun:
            while not waits_for_the_server(database):
                time.sleep(0.01)
            interrupted_at.append(time.monotonic())
            raise KeyboardInterrupt
        begun.append(work)
        return submit(self, work)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    with open_snapshot(database) as snapshot:
        with pytest.raises(KeyboardInterrupt):
            list(slow_rows(snapshot, run))
        assert time.monotonic() - interrupted_at[0] < 5
        assert not reading_threads()


def waits_for_the_server(database: Database) -> bool:
    """Whether a reader is in the middle of the slow range."""
    with database.raw_connection(autocommit=True) as connection:
        return (
            connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            ).fetchone()
            is not None
        )


def test_an_error_of_any_reader_is_everybodys(database: Database, run: str) -> None:
    with open_snapshot(database) as snapshot:
        rows = slow_rows(snapshot, run)
        next(rows)
        with database.raw_connection(autocommit=True) as connection:
            while not connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'"
            ).fetchone()[0]:  # type: ignore[index]
                time.sleep(0.01)
        with pytest.raises(DatabaseUnavailableError):
            list(rows)
        assert not reading_threads()


def reading_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("reader")]
