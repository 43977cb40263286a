"""Administrators: users who may see and end everybody's exports."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from export_pipelines.db.database import Database
from export_pipelines.db.tables import Administrator


def appoint(database: Database, user_id: str, *, now: datetime) -> None:
    """Make the user an administrator, if they are none.

    Raises:
        ValidationError: there is no such user.
    """
    with database.transaction() as session:
        session.execute(insert(Administrator).values(user_id=user_id, since=now).on_conflict_do_nothing())


def dismiss(database: Database, user_id: str) -> None:
    """Make the user one like any other."""
    with database.transaction() as session:
        session.execute(delete(Administrator).where(Administrator.user_id == user_id))


def is_one(database: Database, user_id: str) -> bool:
    """Whether the user is an administrator."""
    with database.transaction() as session:
        return session.get(Administrator, user_id) is not None


def all_ids(database: Database) -> frozenset[str]:
    """The ids of all of them."""
    with database.transaction() as session:
        return frozenset(session.scalars(select(Administrator.user_id)))
