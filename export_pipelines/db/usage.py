"""Usage statistics: counted from the audit log, day by day, so that the same log always gives the same numbers.

The log is the truth, not the jobs' rows: entries are never changed and outlive jobs, which retention may delete.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from export_pipelines.core.cursors import Position
from export_pipelines.core.usage import Span, SpanUsage, UsageStats
from export_pipelines.db.database import Database
from export_pipelines.db.tables import ExportUsageStats

# Repeatable read, and the lock before the snapshot: the days that are counted and the newest entry seen are of one
# instant, and of two that count at once the second sees what the first has written. Readers never wait.
_BEGIN = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "LOCK TABLE {exports}.export_usage_stats IN SHARE ROW EXCLUSIVE MODE",
)
# Entries without an owner are older than these statistics.
_ALL_DAYS = """
SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {exports}.export_audit_logs
WHERE action IN ('completed', 'failed') AND additional_data ? 'owner'
"""
# An entry's number is drawn before its transaction ends, so one may appear behind the newest that was counted; it
# speaks of a moment near its appearance, on a day that is counted again for that reason.
_TOUCHED_DAYS = """
SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {exports}.export_audit_logs
WHERE action IN ('completed', 'failed') AND additional_data ? 'owner'
    AND id > (SELECT coalesce(max(last_entry), 0) FROM {exports}.export_usage_stats)
UNION
SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {exports}.export_audit_logs
WHERE action IN ('completed', 'failed') AND additional_data ? 'owner'
    AND (at AT TIME ZONE 'UTC')::date >= CAST(:since AS date)
"""
_COUNT = """
WITH ended AS (
    SELECT id, action, additional_data->>'owner' AS user_id, (at AT TIME ZONE 'UTC')::date AS day,
        additional_data->>'type' AS type, (additional_data->>'records')::bigint AS records,
        (additional_data->>'size')::bigint AS size, (additional_data->>'duration_ms')::bigint AS duration_ms
    FROM {exports}.export_audit_logs
    WHERE action IN ('completed', 'failed') AND additional_data ? 'owner'
        AND (at AT TIME ZONE 'UTC')::date = ANY(:days)
)
INSERT INTO {exports}.export_usage_stats
    (user_id, day, type, exports, failures, rows, bytes, duration_ms, last_entry)
SELECT user_id, day, type,
    count(*) FILTER (WHERE action = 'completed'),
    count(*) FILTER (WHERE action = 'failed'),
    coalesce(sum(records) FILTER (WHERE action = 'completed'), 0),
    coalesce(sum(size) FILTER (WHERE action = 'completed'), 0),
    coalesce(sum(duration_ms) FILTER (WHERE action = 'completed'), 0),
    max(id)
FROM ended
GROUP BY user_id, day, type
"""
# In the order of pages: the newest first, and within a day or month by user and type, bytewise.
_ADDED_UP = """
SELECT * FROM (
    SELECT user_id, date_trunc(:span, day)::date AS begins, type, sum(exports)::bigint AS exports,
        sum(failures)::bigint AS failures, sum(rows)::bigint AS rows, sum(bytes)::bigint AS bytes,
        sum(duration_ms)::bigint AS duration_ms
    FROM {exports}.export_usage_stats
    WHERE day BETWEEN :since AND :until AND (CAST(:user_id AS text) IS NULL OR user_id = :user_id)
    GROUP BY 1, 2, 3
) spans
WHERE CAST(:after AS date) IS NULL OR begins < :after
    OR begins = :after AND (user_id COLLATE "C", type COLLATE "C") > (:after_user, :after_type)
ORDER BY begins DESC, user_id COLLATE "C", type COLLATE "C"
LIMIT :limit
"""
_AGAIN = timedelta(days=2)
"""How far back days are counted again whether or not they have new entries."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What one count did: days that were counted, and rows that came of it."""

    days: int
    rows: int


def refresh(database: Database, *, now: datetime) -> Counted:
    """Count the days anew that have entries which were not counted yet, and the last two; the others stay."""
    with database.transaction() as session:
        _begin(database, session)
        since = (now - _AGAIN).date()
        days = session.scalars(text(database.sql(_TOUCHED_DAYS)), {"since": since}).all()
        return _count(database, session, days)


def rebuild(database: Database) -> Counted:
    """Count everything anew, from nothing."""
    with database.transaction() as session:
        _begin(database, session)
        session.execute(text(database.sql("DELETE FROM {exports}.export_usage_stats")))
        return _count(database, session, session.scalars(text(database.sql(_ALL_DAYS))).all())


def list_stats(database: Database, *, user_id: str | None = None, since: date | None = None) -> tuple[UsageStats, ...]:
    """What is counted, the newest day first; of one user, or from one day on, when asked."""
    row = ExportUsageStats
    query = select(row).order_by(row.day.desc(), row.user_id, row.type)
    query = query if user_id is None else query.where(row.user_id == user_id)
    query = query if since is None else query.where(row.day >= since)
    names = [field.name for field in fields(UsageStats)]
    with database.transaction() as session:
        return tuple(UsageStats(**{name: getattr(found, name) for name in names}) for found in session.scalars(query))


def add_up(
    database: Database,
    span: Span,
    *,
    user_id: str | None = None,
    since: date,
    until: date,
    after: Position | None = None,
    limit: int,
) -> tuple[SpanUsage, ...]:
    """What is counted of the days from ``since`` to ``until``, day by day or month by month, the newest first.

    Of one user, when asked; at most so many, behind a place in that order.
    """
    user, _, type_ = ("", "", "") if after is None else after.id.partition("/")
    wanted = {
        "span": span.value,
        "user_id": user_id,
        "since": since,
        "until": until,
        "after": None if after is None else after.at.date(),
        "after_user": user,
        "after_type": type_,
        "limit": limit,
    }
    with database.transaction() as session:
        rows = session.execute(text(database.sql(_ADDED_UP)), wanted).mappings()
        return tuple(SpanUsage(**row) for row in rows)


def _begin(database: Database, session: Session) -> None:
    for statement in _BEGIN:
        session.execute(text(database.sql(statement)))


def _count(database: Database, session: Session, days: Sequence[date]) -> Counted:
    """Replace the rows of these days."""
    wanted = {"days": list(days)}
    session.execute(text(database.sql("DELETE FROM {exports}.export_usage_stats WHERE day = ANY(:days)")), wanted)
    inserted = session.execute(text(database.sql(_COUNT)), wanted)
    return Counted(days=len(days), rows=inserted.rowcount)  # type: ignore[attr-defined] # an INSERT has a count
