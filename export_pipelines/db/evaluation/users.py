"""Users, and whether a password is theirs; of passwords only argon2id hashes are stored."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import changed, created, live, record_of, records_of
from export_pipelines.db.tables import User

SHORTEST_PASSWORD = 10
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HASHER = PasswordHasher()
_NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""Compared with when there is no such user, so that the time an answer takes does not tell who is one."""


def create(database: Database, *, email: str, name: str = "", password: str, now: datetime) -> records.User:
    """A new user.

    Raises:
        ConflictError: somebody has this e-mail address, in whatever case.
        ValidationError: it is no e-mail address, or the password is too short.
    """
    password_hash = _hash(password)
    with database.transaction() as session:
        row = User(
            email=_free_email(session, email),
            name=name.strip(),
            password_hash=password_hash,
            created_at=now,
            updated_at=now,
        )
        return record_of(records.User, created(session, row))


def get(database: Database, user_id: str) -> records.User:
    """The user.

    Raises:
        NotFoundError: there is none with this id.
    """
    with database.transaction() as session:
        return record_of(records.User, live(session, User, user_id))


def get_by_email(database: Database, email: str) -> records.User:
    """The user with this e-mail address, in whatever case.

    Raises:
        NotFoundError: there is none.
    """
    with database.transaction() as session:
        row = _by_email(session, email)
        if row is None:
            raise NotFoundError(f"There is no user with the e-mail address {email}; check its spelling.")
        return record_of(records.User, row)


def list_all(database: Database) -> tuple[records.User, ...]:
    """All users by e-mail address."""
    with database.transaction() as session:
        return records_of(session, records.User, select(User).order_by(func.lower(User.email)))


def emails_of(database: Database, user_ids: Iterable[str]) -> Mapping[str, str]:
    """The e-mail addresses of those of the users that exist, by id."""
    query = select(User.id, User.email).where(User.id.in_(set(user_ids)))
    with database.transaction() as session:
        return {row.id: row.email for row in session.execute(query)}


def verify(database: Database, *, email: str, password: str) -> records.User | None:
    """The user whose password this is; None when there is no such user or it is another password."""
    with database.transaction() as session:
        row = _by_email(session, email)
        matches = _matches(row.password_hash if row else _NOBODYS_HASH, password)
        if row is None or not matches:
            return None
        if _HASHER.check_needs_rehash(row.password_hash):
            row.password_hash = _HASHER.hash(password)
        return record_of(records.User, row)


def update_user(
    database: Database,
    user_id: str,
    *,
    email: str | None = None,
    name: str | None = None,
    password: str | None = None,
    now: datetime,
) -> records.User:
    """Change what is given.

    Raises:
        NotFoundError: there is no such user.
        ConflictError: somebody else has this e-mail address.
        ValidationError: it is no e-mail address, or the password is too short.
    """
    password_hash = None if password is None else _hash(password)
    with database.transaction() as session:
        row = live(session, User, user_id, lock=True)
        if email is not None and email.strip().lower() == row.email.lower():
            row.email, email = email.strip(), None
        free = None if email is None else _free_email(session, email)
        changed(row, email=free, name=name, password_hash=password_hash, updated_at=now)
        return record_of(records.User, row)


def delete(database: Database, user_id: str) -> None:
    """Remove the user, with API keys and export jobs.

    Raises:
        NotFoundError: there is no such user.
    """
    with database.transaction() as session:
        session.delete(live(session, User, user_id, lock=True))


def _by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(func.lower(User.email) == func.lower(email.strip())))


def _free_email(session: Session, email: str) -> str:
    clean = email.strip()
    if not _EMAIL.fullmatch(clean):
        raise ValidationError(f"{clean!r} is no e-mail address; it should look like name@example.org.")
    if _by_email(session, clean) is not None:
        raise ConflictError(f"There is a user with the e-mail address {clean} already; use another, or that user.")
    return clean


def _hash(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise ValidationError(f"The password is too short; it needs at least {SHORTEST_PASSWORD} characters.")
    return _HASHER.hash(password)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
