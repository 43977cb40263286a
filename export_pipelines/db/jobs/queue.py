"""The queue in the database: which jobs wait, whose turn it is, and who has promised them a Dagster run.

A job waits while it is PENDING, or PROCESSING with a ``launch_after``: its worker was lost and a new run shall go on.
A claim is that promise. It changes no status: only the run itself, when it begins, makes the row PROCESSING.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors
from sqlalchemy import ColumnElement, and_, exc, func, or_, select, text
from sqlalchemy.orm import Session

from export_pipelines.core.jobs import UNFINISHED, ExportJob, JobStatus
from export_pipelines.db import events
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.arrivals import note_arrival
from export_pipelines.db.jobs.changes import NO_ESTIMATE, change, unchanged
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportJobRow

_WAITS = or_(
    ExportJobRow.status == JobStatus.PENDING,
    and_(ExportJobRow.status == JobStatus.PROCESSING, ExportJobRow.launch_after.is_not(None)),
)

# Of two who count what is running and then claim, the second has to see what the first claimed.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('export-pipelines queue', 0))")

# Small before large within a user, but not for ever: a job is overtaken only by those made within a tenth of a second
# for each of its rows, and within an hour, after it. A user's turn comes the sooner the fewer of his jobs run; of
# users who stand alike, to whom was served longest ago. So whoever has nothing running waits for one place to come
# free, and not for other people's queues.
TURNS = """
WITH unfinished AS (
    SELECT id, user_id, created_at, size_hint, launch_after,
        claimed_at IS NULL AND (status = 'PENDING' OR launch_after IS NOT NULL) AS waits,
        (admitted_at IS NOT NULL OR status <> 'PENDING') AND coalesce(launch_after <= :now, true) AS ready
    FROM {exports}.export_jobs WHERE status IN ('PENDING', 'PROCESSING')
), users AS (
    SELECT user_id, count(*) FILTER (WHERE NOT waits) AS running FROM unfinished GROUP BY user_id
), served AS (
    SELECT user_id, running,
        (SELECT max(claimed_at) FROM {exports}.export_jobs AS jobs WHERE jobs.user_id = users.user_id) AS last_at
    FROM users
), placed AS (
    SELECT id, user_id, created_at,
        created_at + least(size_hint, 36000) * interval '0.1 s' AS due,
        row_number() OVER (
            PARTITION BY user_id ORDER BY created_at + least(size_hint, 36000) * interval '0.1 s', created_at, id
        ) AS place
    FROM unfinished WHERE waits AND ready
), turns AS (
    SELECT id, running + place AS turn, last_at, due, created_at
    FROM placed JOIN served USING (user_id)
)
"""
"""Whose turn it is: lower turns first, then as :data:`ORDER` says; up to a user's limit, turns may be taken."""
ORDER = "turn, last_at NULLS FIRST, due, turns.created_at, turns.id"

_CLAIM = f"""{TURNS}, chosen AS (
    SELECT jobs.id, turn, last_at, due FROM {{exports}}.export_jobs AS jobs JOIN turns ON turns.id = jobs.id
    WHERE jobs.claimed_at IS NULL AND jobs.status IN ('PENDING', 'PROCESSING') AND turn <= :per_user
    ORDER BY {ORDER}
    LIMIT greatest(0, :total - (SELECT coalesce(sum(running), 0) FROM users))
    FOR UPDATE OF jobs SKIP LOCKED
), claimed AS (
    UPDATE {{exports}}.export_jobs AS jobs
    SET claimed_at = :now, claimed_by = :by, updated_at = greatest(updated_at, :now)
    FROM chosen WHERE jobs.id = chosen.id RETURNING jobs.id
)
SELECT id FROM chosen JOIN claimed USING (id) ORDER BY turn, last_at NULLS FIRST, due, id
"""  # noqa: S608 - all of it stands here

_ROWS_OF = """
SELECT (SELECT count(*) FROM (SELECT FROM {evaluation}.transcripts WHERE run_id = :subject LIMIT 36000) AS few)
    + (SELECT count(*) FROM (SELECT FROM {evaluation}.scenarios WHERE definition_id = :subject LIMIT 36000) AS few)
"""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ROWS_OF_DAY = """
SELECT count(*) FROM (
    SELECT FROM {evaluation}.transcripts
    WHERE created_at >= CAST(:subject AS timestamptz)
        AND created_at < CAST(:subject AS timestamptz) + interval '1 day'
    LIMIT 36000
) AS few
"""
_LARGEST = 36_000
"""Rows after which nobody counts on, here and in the statements above."""
_NOTHING_YET: Mapping[str, object] = {
    **dict.fromkeys(("started_at", "completed_at", "expires_at", "launch_after", "claimed_at", "claimed_by", "error")),
    **dict.fromkeys(("output_path", "output_url", "output_size_bytes", "record_count", "checksum", "phase")),
    **NO_ESTIMATE,
    "progress_percent": 0,
    "rows_done": 0,
    "bytes_done": 0,
    "download_count": 0,
    "fidelity": [],
}
"""What of a job that waits is not known, whatever the INSERT says: its figures are counted and its times are kept."""
# Whoever makes a job would wait as long as somebody alters the table, and no row would say that there is a job.
_DO_NOT_WAIT = text("SET LOCAL lock_timeout = '1s'")
_WAIT_AGAIN = text("SET LOCAL lock_timeout TO DEFAULT")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many exports may run, or be promised a run, at the same time: all, and one user's."""

    total: int
    per_user: int


@dataclass(frozen=True, kw_only=True)
class QueueLength:
    """How the queue stands.

    Attributes:
        waiting: jobs that nobody has promised a run yet, the delayed ones included.
        delayed: those that wait for their time, because a worker of theirs was lost.
        running: jobs that run, or have been promised a run.
    """

    waiting: int
    delayed: int
    running: int


def size_hint(database: Database, session: Session, subject_id: str) -> int:
    """About how many rows an export of this run, definition or day comes to: enough to tell small from large.

    An export of a table that is locked counts as large.
    """
    counting = text(database.sql(_ROWS_OF_DAY if _DAY.fullmatch(subject_id) else _ROWS_OF))
    try:
        with session.begin_nested():
            session.execute(_DO_NOT_WAIT)
            rows = int(session.execute(counting, {"subject": subject_id}).scalar_one())
            session.execute(_WAIT_AGAIN)
            return rows
    except exc.OperationalError as error:
        if isinstance(error.orig, errors.LockNotAvailable):
            return _LARGEST
        raise


def claim_launches(database: Database, *, by: str, limits: Limits, now: datetime) -> tuple[ExportJob, ...]:
    """Promise runs to the jobs whose turn it is, as many as the limits leave room for; no job is promised two.

    Safe from any number of processes at once. Whoever claims has to see to it that the runs appear, or that the claims
    are released; ``by`` is who that is, for people who look at the row.
    """
    values = {"by": by, "now": now, "total": limits.total, "per_user": limits.per_user}
    with database.transaction() as session:
        session.execute(_ONE_AT_A_TIME)
        ids = list(session.scalars(text(database.sql(_CLAIM)), values))
        rows = {row.id: job_of(row) for row in session.scalars(select(ExportJobRow).where(ExportJobRow.id.in_(ids)))}
    return tuple(rows[each] for each in ids)


def release(database: Database, job: ExportJob, *, now: datetime) -> ExportJob | None:
    """Take back the promise of a run that never came: the job waits again. None when the job has moved on."""
    values = {"claimed_at": None, "claimed_by": None}
    with database.transaction() as session:
        return change(session, job.id, _WAITS, *_same_claim(job), now=now, values=values)


def put_back(database: Database, job: ExportJob, *, launch_after: datetime, now: datetime) -> ExportJob | None:
    """Have a job whose run was lost go on in a new one, under the next run key; None when the job has moved on.

    A worker that was heard of again since the job was read is not lost.
    """
    values = {
        "launch": job.launch + 1,
        "launch_after": launch_after,
        "claimed_at": None,
        "claimed_by": None,
        **NO_ESTIMATE,
    }
    same = (
        *unchanged(job),
        ExportJobRow.launch_after.is_not_distinct_from(job.launch_after),
        *_same_claim(job),
    )
    with database.transaction() as session:
        changed = change(session, job.id, *same, now=now, values=values)
        if changed is not None:
            events.append(session, changed, f"its worker was lost; it goes on after {launch_after:%H:%M:%S} UTC")
        return changed


def admit(database: Database, job: ExportJob, *, values: dict[str, object], now: datetime) -> ExportJob | None:
    """Let a job into the queue that was inserted by plain SQL: with its size, as counted here, and its audit entry.

    ``values`` is what of the row is written anew, ``input`` at least; None is returned when the job has moved on.
    """
    same = (ExportJobRow.status == JobStatus.PENDING, ExportJobRow.admitted_at.is_(None))
    with database.transaction() as session:
        subject = values["input"]["subject_id"]  # type: ignore[index]
        sized = {**_NOTHING_YET, **values, "size_hint": size_hint(database, session, subject), "admitted_at": now}
        changed = change(session, job.id, *same, now=now, values=sized)
        if changed is not None:
            note_arrival(session, changed)
        return changed


def unadmitted(database: Database, *, limit: int) -> tuple[ExportJob, ...]:
    """PENDING jobs that nobody has looked at yet, the oldest first."""
    return _select(database, ExportJobRow.status == JobStatus.PENDING, ExportJobRow.admitted_at.is_(None), limit=limit)


def forgotten(database: Database, *, before: datetime) -> tuple[ExportJob, ...]:
    """Jobs that were promised a run before this moment and still wait for it, the longest waiting first."""
    return _select(database, _WAITS, ExportJobRow.claimed_at < before)


def queue_length(database: Database, *, now: datetime) -> QueueLength:
    """How many jobs wait, and how many run."""
    waiting = and_(_WAITS, ExportJobRow.claimed_at.is_(None))
    counts = select(
        func.count().filter(waiting),
        func.count().filter(and_(waiting, ExportJobRow.launch_after > now)),
        func.count().filter(~waiting),
    ).where(ExportJobRow.status.in_(UNFINISHED))
    with database.transaction() as session:
        found = session.execute(counts).one()
    return QueueLength(waiting=found[0], delayed=found[1], running=found[2])


def _same_claim(job: ExportJob) -> tuple[ColumnElement[bool], ...]:
    return (ExportJobRow.launch == job.launch, ExportJobRow.claimed_at.is_not_distinct_from(job.claimed_at))


def _select(database: Database, *conditions: ColumnElement[bool], limit: int | None = None) -> tuple[ExportJob, ...]:
    query = select(ExportJobRow).where(*conditions).order_by(ExportJobRow.created_at, ExportJobRow.id).limit(limit)
    with database.transaction() as session:
        return tuple(job_of(row) for row in session.scalars(query))
