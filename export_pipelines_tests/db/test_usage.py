"""Usage: what is counted day by day is what counting everything anew gives, and what the exports came to."""

import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export_pipelines.core.usage import UsageStats
from export_pipelines.db import audit, jobs, usage
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job, add_user, later, stored_file

DAY = date(2026, 3, 1)


@pytest.fixture
def users(database: Database) -> tuple[str, str]:
    return add_user(database), add_user(database)


def end(
    database: Database,
    user: str,
    *,
    at: datetime,
    seconds: float = 0,
    type_: str = "BULK_CSV",
    ok: bool = True,
    rows: int = 0,
    size: int = 0,
) -> str:
    """An export that ended at that time; the job's id."""
    began = at - timedelta(seconds=seconds)
    job = add_job(database, user_id=user, type=type_, now=began)
    ref = jobs.ref_of(jobs.claim(database, job.id, dagster_run_id=None, now=began))
    if ok:
        stored = stored_file(ref, size=size, record_count=rows)
        jobs.complete(database, stored, url="u", expires_at=at + timedelta(hours=1), now=at)
    else:
        jobs.fail(database, job_id=job.id, attempt=1, error="no", now=at)
    return job.id


def test_a_day_of_a_user_adds_up_by_type(database: Database, users: tuple[str, str]) -> None:
    ada, bob = users
    end(database, ada, at=later(hours=1), seconds=2, rows=10, size=100)
    end(database, ada, at=later(hours=2), seconds=4.5, rows=5, size=6_000_000_000)
    end(database, ada, at=later(hours=3), seconds=9, ok=False)
    end(database, ada, at=later(hours=3), type_="RUN_BUNDLE", ok=False)
    end(database, bob, at=later(hours=3), seconds=1, rows=7, size=70)
    assert usage.refresh(database, now=later(days=1)) == usage.Counted(days=1, rows=3)
    csv, bundle = usage.list_stats(database, user_id=ada)
    assert (csv.day, csv.type, csv.exports, csv.failures) == (DAY, "BULK_CSV", 2, 1)
    assert (csv.rows, csv.bytes, csv.duration_ms, csv.average_seconds) == (15, 6_000_000_100, 6_500, 3.25)
    assert (bundle.type, bundle.exports, bundle.failures, bundle.average_seconds) == ("RUN_BUNDLE", 0, 1, None)
    (other,) = usage.list_stats(database, user_id=bob)
    assert (other.exports, other.rows, other.bytes) == (1, 7, 70)


def test_days_begin_at_midnight_utc(database: Database, users: tuple[str, str]) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    end(database, users[0], at=midnight - timedelta(microseconds=1))
    end(database, users[0], at=midnight)
    usage.rebuild(database)
    assert [row.day for row in usage.list_stats(database)] == [date(2026, 3, 2), DAY]
    assert [row.day for row in usage.list_stats(database, since=date(2026, 3, 2))] == [date(2026, 3, 2)]


def test_a_failure_that_a_retry_mends_counts_as_both(database: Database, users: tuple[str, str]) -> None:
    job_id = end(database, users[0], at=NOW, ok=False)
    again = jobs.reopen(database, job_id, dagster_run_id=None, now=later(minutes=1), new_attempt=True)
    stored = stored_file(jobs.ref_of(again), size=1, record_count=1)
    jobs.complete(database, stored, url="u", expires_at=later(hours=1), now=later(minutes=2))
    usage.refresh(database, now=NOW)
    (row,) = usage.list_stats(database)
    assert (row.exports, row.failures, row.duration_ms) == (1, 1, 60_000)


def test_what_was_used_stays_when_jobs_and_users_are_deleted(database: Database, users: tuple[str, str]) -> None:
    end(database, users[0], at=NOW, rows=3, size=4)
    usage.refresh(database, now=NOW)
    before = usage.list_stats(database)
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("DELETE FROM evaluation.users")
    usage.rebuild(database)
    assert usage.list_stats(database) == before
    assert before[0].user_id == users[0]


def test_entries_from_before_there_were_statistics_are_left_out(database: Database) -> None:
    with database.transaction() as session:
        audit.record(session, job_id="c1", action="completed", at=NOW, data={"attempt": 1, "size": 5})
    assert usage.rebuild(database) == usage.Counted(days=0, rows=0)


def test_an_entry_that_becomes_visible_behind_the_newest_is_counted_all_the_same(
    database: Database, users: tuple[str, str]
) -> None:
    told = {"owner": users[0], "type": "BULK_CSV", "records": 1, "size": 1, "duration_ms": 1}
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as slow:
            audit.record(slow, job_id="c1", action="completed", at=NOW, data=told)
            slow.flush()
            quick = pool.submit(end, database, users[0], at=later(hours=1))
            # Where writers of the log go one after another, it waits for the slow one, and nothing is out of order.
            while not quick.done() and not waits_for_a_lock(database):
                time.sleep(0.01)
            usage.refresh(database, now=later(hours=1))
            assert sum(row.exports for row in usage.list_stats(database)) == quick.done()
        quick.result()
    usage.refresh(database, now=later(days=1))
    assert usage.list_stats(database)[0].exports == 2


def waits_for_a_lock(database: Database) -> bool:
    with database.raw_connection(autocommit=True) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return found.fetchone() is not None


def test_counting_at_once_and_again_changes_nothing(database: Database, users: tuple[str, str]) -> None:
    for hour in range(5):
        end(database, users[0], at=later(hours=hour), rows=1)
    with ThreadPoolExecutor(4) as pool:
        refreshed = [pool.submit(usage.refresh, database, now=NOW) for _ in range(2)]
        rebuilt = [pool.submit(usage.rebuild, database) for _ in range(2)]
        for done in (*refreshed, *rebuilt):
            done.result()
    (row,) = usage.list_stats(database)
    assert (row.exports, row.rows) == (5, 5)


@dataclass
class Ledger:
    """The same numbers, kept by hand."""

    sums: dict[tuple[str, date, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 5))

    def note(self, user: str, at: datetime, type_: str, ok: bool, rows: int, size: int, ms: int) -> None:
        entry = self.sums[user, at.date(), type_]
        for place, amount in enumerate((1, 0, rows, size, ms) if ok else (0, 1, 0, 0, 0)):
            entry[place] += amount

    def stats(self, found: Iterable[UsageStats]) -> dict[tuple[str, date, str], list[int]]:
        return {
            (row.user_id, row.day, row.type): [row.exports, row.failures, row.rows, row.bytes, row.duration_ms]
            for row in found
        }


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("ends"),
            st.integers(0, 1),
            st.integers(-4 * 24 * 60, 4 * 24 * 60),
            st.sampled_from(["BULK_CSV", "RUN_BUNDLE"]),
            st.booleans(),
            st.integers(0, 2**40),
            st.integers(0, 10**7),
        ),
        st.tuples(st.just("counts"), st.integers(-3, 30)),
        st.just(("counts anew",)),
        st.just(("forgets the jobs",)),
    ),
    min_size=2,
    max_size=12,
)


@given(steps=STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_counting_bit_by_bit_gives_what_counting_anew_gives(
    database: Database, steps: list[tuple[object, ...]]
) -> None:
    users = (add_user(database), add_user(database))
    ledger = Ledger()
    for name, *values in steps:
        if name == "ends":
            number, minute, type_, ok, amount, ms = values
            user, at = users[number], later(minutes=minute)
            end(database, user, at=at, seconds=ms / 1000, type_=type_, ok=ok, rows=amount // 7, size=amount)
            ledger.note(user, at, type_, ok, amount // 7, amount, ms)
        elif name == "counts":
            usage.refresh(database, now=later(days=values[0]))
        elif name == "counts anew":
            usage.rebuild(database)
        else:
            with database.raw_connection(autocommit=True) as connection:
                connection.execute("DELETE FROM exports.export_jobs")
    usage.refresh(database, now=later(days=40))
    counted = usage.list_stats(database)
    usage.rebuild(database)
    assert counted == usage.list_stats(database)
    assert ledger.stats(row for row in counted if row.user_id in users) == ledger.sums
