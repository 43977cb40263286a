"""The statement that answers many questions at once: who asks, whether they may see the job, how it stands.

The rule of who may see a job is that of ``steps.access``, in SQL; their tests hold both to the same answers.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import AsyncConnection

from export_pipelines.core.jobs import JobNow, JobStatus
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.api_keys import USE_NOTED_EVERY
from export_pipelines.db.events import Event
from export_pipelines.db.watching.records import Question, Sight

MOST_EVENTS = 100
"""Events in one answer; who is further behind asks again."""

_JOB = tuple(each.name for each in fields(JobNow))
_EVENT = tuple(each.name for each in fields(Event) if each.name != "job_id")


def _columns(table: str, names: Sequence[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


# A row for every event, and one for a question without any.
_LOOK = """
SELECT asked.number, who.user_id, who.key_id, who.last_used_at,
    EXISTS (SELECT FROM {exports}.export_jobs AS any_job WHERE any_job.id = asked.job_id),
    jobs.claimed_at IS NULL
        AND (jobs.status = 'PENDING' OR jobs.status = 'PROCESSING' AND jobs.launch_after IS NOT NULL),
    {columns of jobs},
    {columns of news}
FROM unnest(%(keys)s::text[], %(sessions)s::text[], %(jobs)s::text[], %(afters)s::bigint[])
    WITH ORDINALITY AS asked (key_hash, session_hash, job_id, after, number)
LEFT JOIN LATERAL (
    SELECT keys.user_id, keys.id AS key_id, keys.last_used_at FROM {evaluation}.api_keys AS keys
    WHERE keys.key_hash = asked.key_hash AND keys.revoked_at IS NULL
        AND (keys.expires_at IS NULL OR keys.expires_at > %(now)s::timestamptz)
    UNION ALL
    SELECT sessions.user_id, NULL, NULL FROM {exports}.web_sessions AS sessions
    WHERE sessions.token_hash = asked.session_hash AND sessions.expires_at > %(now)s::timestamptz
    LIMIT 1
) AS who ON true
LEFT JOIN {exports}.export_jobs AS jobs ON jobs.id = asked.job_id AND (
    jobs.user_id = who.user_id
    OR EXISTS (SELECT FROM {exports}.administrators AS admins WHERE admins.user_id = who.user_id)
    OR EXISTS (
        SELECT FROM {exports}.export_shares AS shares
        WHERE shares.job_id = jobs.id AND shares.user_id = who.user_id AND shares.revoked_at IS NULL
            AND shares.expires_at > %(now)s::timestamptz
    )
)
LEFT JOIN LATERAL (
    SELECT * FROM {exports}.export_events AS events
    WHERE events.job_id = jobs.id AND events.id > asked.after ORDER BY events.id LIMIT %(most)s
) AS news ON true
ORDER BY asked.number, news.id
""".replace("{columns of jobs}", _columns("jobs", _JOB)).replace("{columns of news}", _columns("news", _EVENT))

_USED = """
UPDATE {evaluation}.api_keys SET last_used_at = %(now)s WHERE id IN (
    SELECT id FROM {evaluation}.api_keys WHERE id = ANY (%(keys)s::text[])
        AND (last_used_at IS NULL OR last_used_at < %(now)s) FOR UPDATE SKIP LOCKED
)
"""


async def look(
    connection: AsyncConnection[Any], database: Database, questions: Sequence[Question], *, now: datetime
) -> list[Sight]:
    """The answers, one for each question, in their order."""
    values = {
        "keys": [question.key_hash for question in questions],
        "sessions": [question.session_hash for question in questions],
        "jobs": [question.job_id for question in questions],
        "afters": [question.after for question in questions],
        "now": now,
        # One more than is given out tells whether that was all.
        "most": MOST_EVENTS + 1,
    }
    cursor = await connection.execute(database.sql(_LOOK).encode(), values, prepare=True)
    rows = await cursor.fetchall()
    used = {row[2] for row in rows if row[2] is not None and (row[3] is None or row[3] <= now - USE_NOTED_EVERY)}
    if used:
        await connection.execute(database.sql(_USED).encode(), {"now": now, "keys": sorted(used)}, prepare=True)
    return [_sight(list(of_question)) for _, of_question in groupby(rows, key=itemgetter(0))]


def _sight(rows: Sequence[tuple[Any, ...]]) -> Sight:
    _, user_id, _, _, exists, waits, *more = rows[0]
    if more[0] is None:
        return Sight(user_id=user_id, job=None, exists=exists)
    job = dict(zip(_JOB, more, strict=False))
    events = [_event(job["id"], row[-len(_EVENT) :]) for row in rows if row[-len(_EVENT)] is not None]
    return Sight(
        user_id=user_id,
        job=JobNow(**{**job, "status": JobStatus(job["status"])}),
        exists=exists,
        waits=waits,
        events=tuple(events[:MOST_EVENTS]),
        all_events=len(events) <= MOST_EVENTS,
    )


def _event(job_id: str, values: Sequence[Any]) -> Event:
    return Event(job_id=job_id, **dict(zip(_EVENT, values, strict=True)))
