"""Making, pausing, resuming and removing subscriptions."""

from datetime import datetime

from sqlalchemy import select

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.subscriptions import NewSubscription, Subscription
from export_pipelines.db.database import Database
from export_pipelines.db.subscriptions.reading import held
from export_pipelines.db.subscriptions.records import row_of, subscription_of
from export_pipelines.db.tables import ExportSubscription


def add(database: Database, new: NewSubscription, *, now: datetime) -> Subscription:
    """Write it down; it answers to runs completed from now on.

    Raises:
        ConflictError: its owner has one of that name.
        ValidationError: a value cannot be stored, or the owner does not exist.
    """
    row = row_of(new)
    row.created_at = row.updated_at = row.active_since = now
    same = select(ExportSubscription.id).where(
        ExportSubscription.user_id == new.user_id, ExportSubscription.name == new.name
    )
    with database.transaction() as session:
        taken = session.scalar(same)
        if taken is not None:
            raise ConflictError(
                f"There is a subscription called {new.name!r} already ({taken}); choose another name, or remove it."
            )
        session.add(row)
        session.flush()
        session.refresh(row)
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
