"""Which completed runs have not been answered to: one bounded query, on tables that may be the application's own."""

from datetime import UTC, datetime

from sqlalchemy import text

from export_pipelines.core.subscriptions import Position, Unanswered
from export_pipelines.db.database import Database

# The index ix_runs_completed gives the order where the table is ours; elsewhere the application may have a like one,
# or every look reads its runs once. The answers, not the position, say what has been seen, so a run that becomes
# visible behind others is found all the same. A tag counts when it was on the definition as the run completed:
# tagging a definition today starts nothing for last year's runs.
_UNANSWERED = """
SELECT s.id AS subscription_id, s.updated_at AS subscription_updated_at, r.id AS run_id,
    coalesce(nullif(r.name, ''), r.id) AS run_name, r.completed_at::timestamptz AS completed_at,
    d.name AS definition_name, d.deleted_at::timestamptz AS definition_deleted_at
FROM {evaluation}.runs r
JOIN {exports}.export_subscriptions s ON s.active AND r.completed_at >= s.active_since
LEFT JOIN {evaluation}.definitions d ON d.id = r.definition_id
WHERE r.status = 'COMPLETED' AND r.deleted_at IS NULL
    AND r.completed_at >= (SELECT min(active_since) FROM {exports}.export_subscriptions WHERE active)
    AND (r.completed_at, r.id) > (coalesce(CAST(:completed_at AS timestamptz), '-infinity'), CAST(:run_id AS text))
    AND r.completed_at < coalesce(CAST(:until AS timestamptz), 'infinity')
    AND (
        s.runs_of = 'ALL'
        OR s.runs_of = 'DEFINITION' AND r.definition_id = s.subject_id
        OR s.runs_of = 'TAG' AND EXISTS (
            SELECT FROM {evaluation}.definition_tags t
            WHERE t.definition_id = r.definition_id AND t.tag_id = s.subject_id AND t.created_at <= r.completed_at
        )
    )
    AND NOT EXISTS (
        SELECT FROM {exports}.export_reactions a WHERE a.subscription_id = s.id AND a.run_id = r.id
    )
ORDER BY r.completed_at, r.id, s.id
LIMIT :most
"""
_INDEXED = """
SELECT EXISTS (
    SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = to_regclass(:runs) AND i.indisvalid AND a.attname = 'completed_at'
)
"""
_LONGEST_SECONDS = 60
"""A look that takes longer is stopped: the application's database has other things to do."""


def unanswered(
    database: Database, *, after: Position | None, until: datetime | None = None, most: int
) -> tuple[Unanswered, ...]:
    """Pairs of an active subscription and a run completed since, in the order of completion, at most so many.

    Only of runs completed after one place, and before the time ``until``, where these are given.

    Raises:
        DatabaseUnavailableError: the look took too long, or the database is away.
    """
    place = after.completed_at if after else None
    bounds = {"completed_at": place, "run_id": after.run_id if after else "", "until": until, "most": most}
    with database.transaction() as session:
        session.execute(text(f"SET LOCAL statement_timeout = '{_LONGEST_SECONDS}s'"))
        rows = session.execute(text(database.sql(_UNANSWERED)), bounds).mappings()
        found = [dict(row) for row in rows]
    return tuple(Unanswered(**{**row, "completed_at": row["completed_at"].astimezone(UTC)}) for row in found)


def are_indexed(database: Database) -> bool:
    """Whether an index has the runs by their time of completion: a look then reads few of them, of however many."""
    with database.transaction() as session:
        return bool(session.scalar(text(_INDEXED), {"runs": database.sql("{evaluation}.runs")}))
