"""Leases: held while a worker lives, gone at once when it is killed."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from export_pipelines.core.errors import ConflictError
from export_pipelines.db import leases
from export_pipelines.db.database import Database

WORKER = """
import sys, time
from export_pipelines.db import leases
from export_pipelines.db.database import Database
with leases.hold(Database(sys.argv[1]), "cjob"):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def worker(database: Database) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WORKER, database.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_lease_is_held_for_the_time_of_the_block(database: Database) -> None:
    assert not leases.is_held(database, "cjob")
    with leases.hold(database, "cjob"):
        assert leases.is_held(database, "cjob")
        assert not leases.is_held(database, "cother")
    assert not leases.is_held(database, "cjob")


def test_steps_of_a_job_share_its_lease(database: Database) -> None:
    with leases.hold(database, "cjob"):
        with leases.hold(database, "cjob"):
            pass
        assert leases.is_held(database, "cjob")


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True)])
def test_an_exclusive_lease_tolerates_no_other(database: Database, first: bool, second: bool) -> None:
    with leases.hold(database, "cjob", exclusive=first):
        with pytest.raises(ConflictError, match="cjob"), leases.hold(database, "cjob", exclusive=second):
            pass
        assert leases.is_held(database, "cjob")


def test_a_lease_in_another_database_is_another_lease(database: Database, empty_database: str) -> None:
    with leases.hold(Database(empty_database), "cjob"):
        assert not leases.is_held(database, "cjob")


def test_a_block_that_raises_lets_go(database: Database) -> None:
    with pytest.raises(RuntimeError), leases.hold(database, "cjob"):
        raise RuntimeError
    assert not leases.is_held(database, "cjob")


def test_a_lease_is_gone_when_its_block_is_over_and_not_a_moment_later(database: Database) -> None:
    held = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with database.raw_connection(autocommit=True) as other:
        for _ in range(100):
            with leases.hold(database, "cjob", exclusive=True):
                pass
            assert other.execute(held).fetchone() == (0,)


@pytest.mark.parametrize("number", range(8))
def test_any_id_can_be_held_whatever_half_of_its_number_is_large(database: Database, number: int) -> None:
    with leases.hold(database, f"c{number}"):
        assert leases.is_held(database, f"c{number}")


def test_a_killed_workers_lease_is_gone_at_once(database: Database) -> None:
    with worker(database) as process:
        assert leases.is_held(database, "cjob")
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed = time.monotonic()
        while leases.is_held(database, "cjob"):
            assert time.monotonic() - killed < 10
            time.sleep(0.01)


def test_waiting_for_a_lease_ends_when_it_is_let_go_or_when_the_time_is_over(database: Database) -> None:
    with worker(database) as process:
        with pytest.raises(ConflictError), leases.hold(database, "cjob", exclusive=True, wait_seconds=1):
            pass
        threading.Timer(0.2, process.kill).start()
        with leases.hold(database, "cjob", exclusive=True, wait_seconds=30):
            assert leases.is_held(database, "cjob")
