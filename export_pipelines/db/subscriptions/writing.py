"""Making, changing, pausing, resuming and removing subscriptions."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.subscriptions import NewSubscription, Subscription
from export_pipelines.db.database import Database
from export_pipelines.db.subscriptions.reading import held
from export_pipelines.db.subscriptions.records import columns_of, row_of, subscription_of
from export_pipelines.db.tables import ExportSubscription


def add(database: Database, new: NewSubscription, *, now: datetime) -> Subscription:
    """Write it down; it answers to runs completed from now on.

    Raises:
        ConflictError: its owner has one of that name.
        ValidationError: a value cannot be stored, or the owner does not exist.
    """
    row = row_of(new)
    row.created_at = row.updated_at = row.active_since = now
    with database.transaction() as session:
        _require_free(session, new)
        session.add(row)
        session.flush()
        session.refresh(row)
        return subscription_of(row)


def alter(database: Database, seen: Subscription, new: NewSubscription, *, now: datetime) -> Subscription:
    """Have it ask for something else; a paused one stays paused, and the answers that it gave stay.

    About other runs than before, it answers to those completed from now on, as if it were made now.

    Args:
        database: where.
        seen: the subscription as it was when the change was thought out.
        new: what it shall be.
        now: the present moment.

    Raises:
        NotFoundError: it was removed meanwhile.
        ConflictError: it was changed meanwhile, or its owner has another of that name.
        ValidationError: a value cannot be stored.
    """
    with database.transaction() as session:
        row = held(session, seen.id, lock=True)
        if row.updated_at != seen.updated_at:
            raise ConflictError(f"subscription {seen.id} was changed meanwhile; look at it again, then try again.")
        _require_free(session, new, besides=seen.id)
        if (row.runs_of, row.subject_id) != (new.runs_of, new.subject_id):
            row.active_since = now
        for name, value in columns_of(new).items():
            setattr(row, name, value)
        row.updated_at = now
        session.flush()
        return subscription_of(row)


def pause(database: Database, subscription_id: str, *, now: datetime) -> Subscription:
    """Have it answer to no run from now on; whoever is answering for it right now is waited for.

    Raises:
        NotFoundError: there is no such subscription.
    """
    with database.transaction() as session:
        row = held(session, subscription_id, lock=True)
        if row.active:
            row.active, row.updated_at = False, now
        return subscription_of(row)


def resume(database: Database, subscription_id: str, *, now: datetime) -> Subscription:
    """Have it answer again, to runs completed from now on: what came while it was paused was not asked for.

    Raises:
        NotFoundError: there is no such subscription.
    """
    with database.transaction() as session:
        row = held(session, subscription_id, lock=True)
        if not row.active:
            row.active, row.active_since, row.updated_at = True, now, now
        return subscription_of(row)


def remove(database: Database, subscription_id: str) -> Subscription:
    """Delete it and its answers; the exports that it started stay.

    Raises:
        NotFoundError: there is no such subscription.
    """
    with database.transaction() as session:
        row = held(session, subscription_id, lock=True)
        session.delete(row)
        return subscription_of(row)


def _require_free(session: Session, new: NewSubscription, *, besides: str = "") -> None:
    """Refuse a name that another subscription of the owner's has; the table's key does, too, but names no row."""
    row = ExportSubscription
    same = select(row.id).where(row.user_id == new.user_id, row.name == new.name, row.id != besides)
    taken = session.scalar(same)
    if taken is not None:
        raise ConflictError(
            f"There is a subscription called {new.name!r} already ({taken}); choose another name, or remove it."
        )
