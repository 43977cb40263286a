"""Finding subscriptions and what they have done; nothing here changes a row."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select, text, true, tuple_
from sqlalchemy.orm import Session

from export_pipelines.core.cursors import Position
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.subscriptions import Reaction, Subscription, Tally
from export_pipelines.db.database import Database
from export_pipelines.db.subscriptions.records import reaction_of, subscription_of
from export_pipelines.db.tables import ExportReaction, ExportSubscription

_SEE = "See: export-pipelines subscriptions list"

_TALLIES = """
SELECT s.id, coalesce(d.name, t.name) AS subject, coalesce(a.jobs, 0) AS jobs, coalesce(a.refused, 0) AS refused,
    a.last_at, (
        SELECT r.reason FROM {exports}.export_reactions r
        WHERE r.subscription_id = s.id AND r.reason IS NOT NULL AND coalesce(a.refused, 0) > 0
        ORDER BY r.at DESC, r.run_id DESC LIMIT 1
    ) AS last_refusal
FROM {exports}.export_subscriptions s
LEFT JOIN {evaluation}.definitions d ON s.runs_of = 'DEFINITION' AND d.id = s.subject_id AND d.deleted_at IS NULL
LEFT JOIN {evaluation}.tags t ON s.runs_of = 'TAG' AND t.id = s.subject_id
LEFT JOIN LATERAL (
    SELECT count(r.job_id) AS jobs, count(r.reason) AS refused, max(r.at) AS last_at
    FROM {exports}.export_reactions r WHERE r.subscription_id = s.id
) a ON true
WHERE s.id = ANY(:ids)
"""


def list_all(database: Database, *, user_id: str | None = None) -> tuple[Subscription, ...]:
    """All subscriptions, or one user's, the oldest first."""
    query = select(ExportSubscription).order_by(ExportSubscription.created_at, ExportSubscription.id)
    if user_id is not None:
        query = query.where(ExportSubscription.user_id == user_id)
    with database.transaction() as session:
        return tuple(subscription_of(row) for row in session.scalars(query))


def page(
    database: Database, *, user_id: str | None = None, after: Position | None = None, limit: int
) -> tuple[Subscription, ...]:
    """At most so many subscriptions, the newest first, one user's when asked, and behind a place in that order."""
    row = ExportSubscription
    conditions = [true() if user_id is None else row.user_id == user_id]
    if after is not None:
        conditions.append(tuple_(row.created_at, row.id) < (after.at, after.id))
    query = select(row).where(*conditions).order_by(row.created_at.desc(), row.id.desc()).limit(limit)
    with database.transaction() as session:
        return tuple(subscription_of(found) for found in session.scalars(query))


def active_since(database: Database) -> datetime | None:
    """Since when the oldest of the active subscriptions answers to runs; None when none is active."""
    with database.transaction() as session:
        oldest = session.scalar(select(func.min(ExportSubscription.active_since)).where(ExportSubscription.active))
    return None if oldest is None else oldest.astimezone(UTC)


def get(database: Database, subscription_id: str) -> Subscription:
    """The subscription of this id.

    Raises:
        NotFoundError: there is none.
    """
    with database.transaction() as session:
        return subscription_of(held(session, subscription_id))


def find(database: Database, text_: str) -> Subscription:
    """The one subscription whose id is, or begins with, what a person typed, or that has this name.

    Raises:
        NotFoundError: none does.
        ValidationError: several do.
    """
    named = ExportSubscription.name == text_
    begins = ExportSubscription.id.startswith(text_, autoescape=True)
    with database.transaction() as session:
        rows = session.scalars(select(ExportSubscription).where(named)).all() if text_ else []
        rows = rows or (session.scalars(select(ExportSubscription).where(begins)).all() if text_ else [])
        found = [subscription_of(row) for row in rows]
    if not found:
        raise NotFoundError(f"There is no subscription with the id or name {text_!r}. {_SEE}")
    if len(found) > 1:
        raise ValidationError(f"{text_!r} fits {len(found)} subscriptions; give the id, or more of it. {_SEE}")
    return found[0]


def tallies(database: Database, subscription_ids: Sequence[str]) -> Mapping[str, Tally]:
    """What has come of each of these subscriptions, by id."""
    with database.transaction() as session:
        rows = session.execute(text(database.sql(_TALLIES)), {"ids": list(subscription_ids)}).mappings()
        return {row["id"]: Tally(**{name: value for name, value in row.items() if name != "id"}) for row in rows}


def reactions(database: Database, subscription_id: str, *, limit: int) -> tuple[Reaction, ...]:
    """Its newest answers, newest first."""
    of_it = select(ExportReaction).where(ExportReaction.subscription_id == subscription_id)
    query = of_it.order_by(ExportReaction.at.desc(), ExportReaction.run_id.desc()).limit(limit)
    with database.transaction() as session:
        return tuple(reaction_of(row) for row in session.scalars(query))


def held(session: Session, subscription_id: str, *, lock: bool = False) -> ExportSubscription:
    """The row of this id, kept from others until the transaction ends when ``lock`` says so.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(ExportSubscription, subscription_id, with_for_update=True if lock else None)
    if row is None:
        raise NotFoundError(f"There is no subscription {subscription_id!r}. {_SEE}")
    return row
