"""Figures of the whole deployment for monitoring: few queries, each on an index, none that reads whole tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from export_pipelines.core.failure_reasons import PATTERNS, FailureReason
from export_pipelines.db.database import Database

RECENT = timedelta(days=1)
"""How far figures of what happened look back."""
QUANTILES = (0.5, 0.9, 0.99)
_PATIENCE = "5s"
"""Monitoring must not weigh on a database that is in trouble."""

JOBS = "SELECT type, status::text, count(*) FROM {exports}.export_jobs GROUP BY type, status"

OLDEST = "SELECT min(created_at) FROM {exports}.export_jobs WHERE status = 'PENDING'"

COMPLETED = """
SELECT type, count(*), coalesce(sum(output_size_bytes), 0),
    percentile_cont(CAST(:quantiles AS float8[])) WITHIN GROUP (ORDER BY extract(epoch FROM completed_at - started_at))
FROM {exports}.export_jobs WHERE completed_at >= :since GROUP BY type
"""

STORED = """
SELECT type, coalesce(sum(output_size_bytes), 0) FROM {exports}.export_jobs WHERE status = 'COMPLETED' GROUP BY type
"""

FAILED = """
SELECT type, {reason} AS reason, count(*) FROM {exports}.export_jobs
WHERE status = 'FAILED' AND updated_at >= :since GROUP BY 1, 2
"""

AUDIT = """
SELECT (SELECT position FROM {exports}.export_audit_head), max(position), max(taken_at)
FROM {exports}.export_audit_checkpoints
"""

HAS_DELIVERIES = """
SELECT count(*) = 2 FROM pg_attribute
WHERE attrelid = to_regclass(:table) AND attname IN ('state', 'created_at') AND NOT attisdropped
"""

DELIVERIES = """
SELECT state::text, count(*) FROM {exports}.export_deliveries WHERE created_at >= :since GROUP BY state
"""


@dataclass(frozen=True, kw_only=True)
class Completions:
    """Exports of one type that were completed in the last day.

    Attributes:
        seconds: from start to completion, by quantile.
    """

    count: int
    bytes: int
    seconds: Mapping[float, float]


@dataclass(frozen=True, kw_only=True)
class AuditFigures:
    """Where the audit log stands.

    Attributes:
        signed: the position of the last checkpoint.
    """

    position: int
    signed: int
    signed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the database knows; what happened is of the last day.

    Attributes:
        jobs: how many, by type and status.
        oldest_pending: when the job that waits longest was made.
        completed: by type.
        stored: bytes of files that have not expired, by type.
        failed: how many, by type and reason.
        deliveries: how many, by state; empty in a database that has none.
    """

    jobs: Mapping[tuple[str, str], int]
    oldest_pending: datetime | None
    completed: Mapping[str, Completions]
    stored: Mapping[str, int]
    failed: Mapping[tuple[str, str], int]
    audit: AuditFigures
    deliveries: Mapping[str, int] = field(default_factory=dict)


def read(database: Database, *, now: datetime) -> Figures:
    """The figures as of now.

    Raises:
        DatabaseUnavailableError: the server is away, or took too long.
    """
    since = {"since": now - RECENT}
    with database.transaction() as session:
        session.execute(text(f"SET LOCAL statement_timeout = '{_PATIENCE}'"))
        ask = _Asking(database, session)
        failed = FAILED.replace("{reason}", _reasons())
        position, signed, signed_at = ask.rows(AUDIT)[0]
        return Figures(
            jobs={(type_, status): count for type_, status, count in ask.rows(JOBS)},
            oldest_pending=ask.rows(OLDEST)[0][0],
            completed={
                type_: Completions(count=count, bytes=int(size), seconds=dict(zip(QUANTILES, seconds, strict=True)))
                for type_, count, size, seconds in ask.rows(COMPLETED, quantiles=list(QUANTILES), **since)
                if seconds
            },
            stored={type_: int(size) for type_, size in ask.rows(STORED)},
            failed={(type_, reason): count for type_, reason, count in ask.rows(failed, **since)},
            audit=AuditFigures(position=position or 0, signed=signed or 0, signed_at=signed_at),
            deliveries=_deliveries(ask, since),
        )


class _Asking:
    def __init__(self, database: Database, session: Session) -> None:
        self.table = database.qualified("exports", "export_deliveries")
        self._database = database
        self._session = session

    def rows(self, sql: str, **params: object) -> list[Any]:
        return list(self._session.execute(text(self._database.sql(sql)), params).all())


def _deliveries(ask: _Asking, since: Mapping[str, datetime]) -> dict[str, int]:
    """Deployments that have not been migrated so far have no such table."""
    [[there]] = ask.rows(HAS_DELIVERIES, table=ask.table)
    return dict(ask.rows(DELIVERIES, **since)) if there else {}


def _reasons() -> str:
    """The classes of failures as an SQL expression; the patterns hold neither quotes nor colons."""
    cases = " ".join(f"WHEN error ~ '{pattern}' THEN '{reason}'" for reason, pattern in PATTERNS)
    return f"CASE {cases} ELSE '{FailureReason.OTHER}' END"
