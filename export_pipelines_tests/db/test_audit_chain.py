"""The chain that the database makes: one, whoever writes at once, of exactly the bytes that are documented."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from export_pipelines.core.audit import ChainedRow, Checkpoint, Link, hash_of
from export_pipelines.core.audit_chain import walk
from export_pipelines.core.errors import ConflictError, DatabaseUnavailableError, ValidationError
from export_pipelines.db import audit, audit_chain, jobs, migrate
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.tables import ExportJobRow
from export_pipelines_tests.db.rows import NOW, add_job

WRITER = """
import random, sys
from datetime import UTC, datetime
from export_pipelines.db import audit
from export_pipelines.db.database import Database
database, name = Database(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(40):
    with database.transaction() as session:
        for part in range(number % 3 + 1):
            data, at = {"n": part}, datetime.now(UTC)
            audit.record(session, job_id=f"c{name}{number}", action="downloaded", at=at, data=data)
"""


class UndoneError(Exception):
    """Rolls a transaction back."""


def log(database: Database, *, after: int = 0) -> tuple[list[ChainedRow], Link]:
    with open_snapshot(database) as snapshot:
        return list(audit_chain.rows(snapshot, after=after)), audit_chain.head(snapshot)


def assert_one_chain(database: Database, rows: int) -> list[ChainedRow]:
    found, head = log(database)
    walked = walk(found, head=head)
    assert (walked.broken, walked.rows, head.position) == (None, rows, rows)
    return found


def write(database: Database, *, rows: int = 1, undo: bool = False, **fields: Any) -> None:
    values = {"job_id": "cjob", "action": "shared", "at": NOW, **fields}
    with database.transaction() as session:
        for number in range(rows):
            audit.record(session, **{**values, "data": {"row": number, **values.get("data", {})}})
        if undo:
            raise UndoneError


def test_threads_and_processes_that_write_at_once_keep_one_chain(database: Database) -> None:
    command = [sys.executable, "-c", WRITER, database.url]
    writers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "abc"
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"

    def work(number: int) -> int:
        undo = number % 4 == 0
        try:
            write(database, rows=number % 3 + 1, undo=undo, job_id=f"cthread{number}")
        except UndoneError:
            return 0
        return number % 3 + 1

    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    with ThreadPoolExecutor(6) as pool:
        written = sum(pool.map(work, range(120)))
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    by_processes = sum(number % 3 + 1 for number in range(40)) * len(writers)
    found = assert_one_chain(database, written + by_processes)
    assert len({row.job_id for row in found}) == 120 * 3 // 4 + 40 * len(writers)


def test_whoever_audits_first_and_locks_afterwards_waits_for_nobody_who_waits_for_the_chain(database: Database) -> None:
    job_id = add_job(database).id
    audited, locked = threading.Event(), threading.Event()

    def lock(session: Any) -> None:
        session.execute(update(ExportJobRow).where(ExportJobRow.id == job_id).values(title="mine"))

    def audits_first() -> None:
        with database.transaction() as session:
            audit.record(session, job_id=job_id, action="shared", at=NOW)
            session.flush()
            audited.set()
            assert locked.wait(10)
            lock(session)

    def locks_first() -> None:
        with database.transaction() as session:
            lock(session)
            locked.set()
            assert audited.wait(10)
            audit.record(session, job_id=job_id, action="shared", at=NOW)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(audits_first), pool.submit(locks_first)]:
            done.result(timeout=20)
    assert_one_chain(database, 3)


def test_rows_of_one_transaction_keep_their_order_and_what_is_undone_leaves_no_gap(database: Database) -> None:
    write(database, rows=3)
    with pytest.raises(UndoneError):
        write(database, rows=2, undo=True)
    with database.transaction() as session:
        audit.record(session, job_id="ckept", action="shared", at=NOW)
        savepoint = session.begin_nested()
        audit.record(session, job_id="clost", action="shared", at=NOW)
        session.flush()
        savepoint.rollback()
    found = assert_one_chain(database, 4)
    assert [row.additional_data for row in found[:3]] == ['{"row": 0}', '{"row": 1}', '{"row": 2}']
    assert found[3].job_id == "ckept"


def test_a_transaction_that_sees_an_older_end_is_refused_and_makes_no_second_branch(database: Database) -> None:
    def late() -> None:
        with database.transaction() as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            session.execute(text("SELECT 1 FROM exports.export_audit_head"))
            audit.record(session, job_id="clate", action="shared", at=NOW)
            session.flush()
            write(database)

    with pytest.raises(DatabaseUnavailableError, match="concurrent update"):
        late()
    assert_one_chain(database, 1)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE {log} SET user_id = 'x'", "UPDATE {log} SET hash = hash", "DELETE FROM {log}", "TRUNCATE {log}"],
)
def test_rows_that_are_there_stay_as_they_are(database: Database, statement: str) -> None:
    write(database, rows=2)
    with pytest.raises(ValidationError, match="new rows only"), database.transaction() as session:
        session.execute(text(statement.format(log="exports.export_audit_logs")))
    assert_one_chain(database, 2)


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
MOMENTS = st.datetimes(timezones=st.timezones(), min_value=NOW.replace(year=2, tzinfo=None)).filter(
    lambda moment: moment.year < 9999
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    job_id=st.none() | WORDS,
    user=st.none() | WORDS,
    agent=st.none() | WORDS,
    data=st.dictionaries(WORDS, VALUES, max_size=3),
    at=MOMENTS,
)
def test_the_database_hashes_exactly_what_is_documented(
    database: Database, job_id: str | None, user: str | None, agent: str | None, data: dict[str, Any], at: Any
) -> None:
    before = audit_chain.position(database)
    with database.transaction() as session:
        actor = audit.Actor(user_id=user, address=agent, user_agent=agent)
        audit.record(session, job_id=job_id, action="downloaded", at=at, actor=actor, data=data)
    [row], head = log(database, after=before)
    assert (row.job_id, row.user_id, row.user_agent) == (job_id, user, agent)
    assert (row.hash, row.position) == (hash_of(row), before + 1) == (head.hash, head.position)
    assert replace(row, hash=hash_of(row)) == row


def test_rows_of_before_are_chained_by_the_migration_in_the_order_of_their_ids(database: Database) -> None:
    while (migrate.current(database) or "") >= "0007":
        migrate.downgrade(database, steps=1)
    insert = (
        "INSERT INTO exports.export_audit_logs (job_id, action, at, additional_data) "
        """SELECT 'cjob' || n, 'created', now() - n * interval '1 hour', '{{"é": "\\u0001"}}' """
        "FROM generate_series(1, {}) n"
    )
    with database.transaction() as session:
        session.connection().exec_driver_sql(insert.format(50))
    migrate.upgrade(database)
    found = assert_one_chain(database, 50)
    assert [row.job_id for row in found] == [f"cjob{number}" for number in range(1, 51)]
    with database.transaction() as session:
        session.connection().exec_driver_sql(insert.format(2))
    write(database, action="link_refused", job_id=None)
    assert_one_chain(database, 53)
    while (migrate.current(database) or "") >= "0007":
        migrate.downgrade(database, steps=1)
    migrate.upgrade(database)
    assert_one_chain(database, 52)


def test_a_log_whose_end_was_taken_away_says_so(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("DELETE FROM exports.export_audit_head"))
    with open_snapshot(database) as snapshot, pytest.raises(ValidationError, match="export_audit_head has no row"):
        audit_chain.head(snapshot)


def test_a_job_is_chained_with_all_that_happens_to_it(database: Database) -> None:
    job = jobs.claim(database, add_job(database).id, dagster_run_id=None, now=NOW)
    jobs.cancel(database, job.id, now=NOW)
    assert [row.action for row in assert_one_chain(database, 3)] == ["created", "started", "cancelled"]


def test_checkpoints_are_kept_in_order_and_each_number_once(database: Database) -> None:
    made = [
        Checkpoint(number=number, position=number * 5, hash="a" * 64, taken_at=taken_at, key_id="k", signature="s")
        for number, taken_at in ((1, "2026-03-01T12:00:00.000001Z"), (2, "2026-03-01T13:00:00.120000Z"))
    ]
    add: Callable[[Checkpoint], None] = lambda one: audit_chain.add_checkpoint(database, one)  # noqa: E731
    add(made[1])
    add(made[0])
    with pytest.raises(ConflictError):
        add(made[1])
    with open_snapshot(database) as snapshot:
        assert list(audit_chain.checkpoints(snapshot)) == made
