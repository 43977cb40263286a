"""Watching: one statement for all who ask, the answer of one instant, and never a remembered permission."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import func, select

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import events, jobs
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import api_keys
from export_pipelines.db.tables import Administrator, ApiKey, ExportShareRow, WebSession
from export_pipelines.db.watching import Question, Sight, Watcher, statement
from export_pipelines_tests.db.rows import NOW, add_job, add_processing, add_user, at_percent, later, stored_file

T = TypeVar("T")


def asking(database: Database, work: Callable[[Watcher], Awaitable[T]], *, now: datetime = NOW) -> T:
    """Run the work with a watcher in a loop of its own."""

    async def run() -> T:
        watcher = Watcher(database, lambda: now)
        try:
            return await work(watcher)
        finally:
            await watcher.close()

    return asyncio.run(run())


def seen(database: Database, *questions: Question, now: datetime = NOW) -> list[Sight]:
    async def all_at_once(watcher: Watcher) -> list[Sight]:
        return await asyncio.gather(*map(watcher.ask, questions))

    return asking(database, all_at_once, now=now)


def add_key(database: Database, user_id: str, **fields: object) -> str:
    """A key of the user's; its hash."""
    with database.transaction() as session:
        number = session.scalar(select(func.count()).select_from(ApiKey))
        values = {"name": "k", "key_hash": f"hash{number}", "prefix": "ek_", "created_at": NOW, **fields}
        row = ApiKey(user_id=user_id, **values)
        session.add(row)
        session.flush()
        return row.key_hash


def test_the_owner_sees_how_the_job_stands(database: Database) -> None:
    job, ref = add_processing(database)
    jobs.report_progress(database, ref, at_percent(40), now=later(seconds=1))
    key = add_key(database, job.user_id)
    (sight,) = seen(database, Question(job_id=job.id, key_hash=key))
    assert sight.user_id == job.user_id
    assert sight.job is not None
    assert (sight.job.status, sight.job.progress_percent) == (JobStatus.PROCESSING, 40)
    assert (sight.job.phase, sight.job.attempt, sight.job.updated_at) == ("working", 1, later(seconds=1))
    assert not sight.job.over
    assert sight.events == ()


def test_each_caller_is_answered_by_his_own_rights_though_all_ask_at_once(database: Database) -> None:
    job = add_job(database)
    owner, viewer, past, revoked, admin, other = job.user_id, *(add_user(database) for _ in range(5))
    with database.transaction() as session:
        session.add(Administrator(user_id=admin))
        of_job = {"job_id": job.id, "created_by": owner, "created_at": NOW - timedelta(days=2)}
        session.add(ExportShareRow(user_id=viewer, expires_at=later(hours=1), **of_job))
        session.add(ExportShareRow(user_id=past, expires_at=NOW, **of_job))
        session.add(ExportShareRow(user_id=revoked, expires_at=later(hours=1), revoked_at=NOW, **of_job))
        session.add(WebSession(token_hash="session", user_id=owner, expires_at=later(hours=1), created_at=NOW))
    keys = [add_key(database, user) for user in (owner, viewer, admin, past, revoked, other)]
    gone = [add_key(database, owner, revoked_at=NOW), add_key(database, owner, expires_at=NOW), "never made"]
    questions = [Question(job_id=job.id, key_hash=key) for key in (*keys, *gone)]
    sights = seen(database, *questions, Question(job_id=job.id, session_hash="session"), Question(job_id=job.id))
    known, visible = [sight.user_id is not None for sight in sights], [sight.job is not None for sight in sights]
    assert known == [True] * 6 + [False] * 3 + [True, False]
    assert visible == [True] * 3 + [False] * 6 + [True, False]
    assert all(sight.exists for sight in sights)


def test_a_session_that_is_over_opens_nothing(database: Database) -> None:
    job = add_job(database)
    with database.transaction() as session:
        session.add(WebSession(token_hash="session", user_id=job.user_id, expires_at=later(hours=1), created_at=NOW))
    question = Question(job_id=job.id, session_hash="session")
    assert seen(database, question, now=later(minutes=59))[0].job is not None
    assert seen(database, question, now=later(hours=1))[0].user_id is None


def test_events_come_in_order_from_where_each_asked_and_never_more_than_a_page(database: Database) -> None:
    job, ref = add_processing(database)
    for percent in range(statement.MOST_EVENTS + 20):
        jobs.report_progress(database, ref, at_percent(min(percent, 90)), now=NOW)
    jobs.complete(database, stored_file(ref), url="u", expires_at=later(hours=1), now=NOW)
    key, told = add_key(database, job.user_id), events.list_events(database, job.id)
    starts = [0, told[49].id, told[-1].id]
    first, middle, none = seen(database, *(Question(job_id=job.id, key_hash=key, after=after) for after in starts))
    assert (first.events, first.all_events) == (told[: statement.MOST_EVENTS], False)
    assert (middle.events, middle.all_events) == (told[50:], True)
    assert (none.events, none.all_events) == ((), True)
    assert none.job is not None
    assert none.job.over


def test_a_job_that_waits_says_so_until_somebody_has_promised_it_a_run(database: Database) -> None:
    job = add_job(database)
    question = Question(job_id=job.id, key_hash=add_key(database, job.user_id))
    assert seen(database, question)[0].waits
    jobs.claim_launches(database, by="test", limits=jobs.Limits(total=1, per_user=1), now=NOW)
    assert not seen(database, question)[0].waits


def test_a_deleted_job_is_told_from_a_hidden_one(database: Database) -> None:
    job = add_job(database)
    key = add_key(database, add_user(database))
    hidden, gone = seen(database, Question(job_id=job.id, key_hash=key), Question(job_id="cnone", key_hash=key))
    assert (hidden.job, hidden.exists) == (None, True)
    assert (gone.job, gone.exists) == (None, False)


def test_the_use_of_a_key_is_noted_once_a_minute(database: Database) -> None:
    job = add_job(database)
    key = add_key(database, job.user_id)
    for seconds in (0, 30, 59, 60):
        seen(database, Question(job_id=job.id, key_hash=key), now=later(seconds=seconds))
        (record,) = api_keys.list_for_user(database, job.user_id)
        assert record.last_used_at == later(seconds=seconds // 60 * 60)


def test_a_connection_that_was_cut_off_is_made_anew(database: Database) -> None:
    job = add_job(database)
    question = Question(job_id=job.id, key_hash=add_key(database, job.user_id))

    async def ask_twice(watcher: Watcher) -> list[Sight]:
        before = await watcher.ask(question)
        with database.raw_connection(autocommit=True) as connection:
            connection.execute(
                b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                b" WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return [before, await watcher.ask(question)]

    before, after = asking(database, ask_twice)
    assert before == after


def test_a_database_that_is_away_is_an_error_for_everybody_and_none_when_it_is_back(database: Database) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/none", connect_seconds=2)

    async def ask_both(watcher: Watcher) -> list[Sight | BaseException]:
        return await asyncio.gather(*(watcher.ask(Question(job_id="c1")) for _ in range(3)), return_exceptions=True)

    assert [type(answer) for answer in asking(away, ask_both)] == [DatabaseUnavailableError] * 3


def test_who_asked_just_before_the_end_is_told_of_it(database: Database) -> None:
    async def end_at_once(watcher: Watcher) -> None:
        asking = asyncio.create_task(watcher.ask(Question(job_id="c1")))
        # It has asked now, and nobody has begun to look.
        await asyncio.sleep(0)
        await watcher.close()
        with pytest.raises(DatabaseUnavailableError, match="has ended"):
            await asyncio.wait_for(asking, timeout=20)

    asking(database, end_at_once)


def test_a_statement_that_hangs_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    job = add_job(database)
    monkeypatch.setattr("export_pipelines.db.watching.watcher.STATEMENT_SECONDS", 0.3)

    async def ask_a_locked_table(watcher: Watcher) -> None:
        with database.raw_connection() as connection:
            connection.execute(b"LOCK TABLE exports.export_jobs")
            with pytest.raises(DatabaseUnavailableError):
                await watcher.ask(Question(job_id=job.id))
            connection.rollback()
        assert (await watcher.ask(Question(job_id=job.id))).exists

    asking(database, ask_a_locked_table)
