"""Sessions of the exports page: a random token in the browser's cookie, and here only its keyed hash."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from export_pipelines.core import evaluation as records
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import record_of
from export_pipelines.db.tables import User, WebSession

_RANDOM_BYTES = 32
_PURPOSE = b"export-pipelines session\0"
"""Keeps these hashes apart from any other use of the same key."""


def begin(database: Database, *, user_id: str, secret: bytes, now: datetime, hours: int) -> str:
    """A new session; the token that is returned is all that there is to it. Sessions that are over are forgotten.

    Raises:
        ValidationError: there is no such user.
    """
    token = secrets.token_urlsafe(_RANDOM_BYTES)
    with database.transaction() as session:
        session.execute(delete(WebSession).where(WebSession.expires_at <= now))
        row = WebSession(
            token_hash=hash_of(token, secret),
            user_id=user_id,
            created_at=now,
            expires_at=now + timedelta(hours=hours),
        )
        session.add(row)
    return token


def authenticate(database: Database, token: str, *, secret: bytes, now: datetime) -> records.User | None:
    """Whose session it is; None for one that is unknown, ended or over."""
    theirs = (WebSession.token_hash == hash_of(token, secret), WebSession.expires_at > now)
    query = select(User).join(WebSession, WebSession.user_id == User.id).where(*theirs)
    with database.transaction() as session:
        row = session.scalar(query)
        return None if row is None else record_of(records.User, row)


def end(database: Database, token: str, *, secret: bytes) -> None:
    """End the session, if it is one."""
    with database.transaction() as session:
        session.execute(delete(WebSession).where(WebSession.token_hash == hash_of(token, secret)))


def end_all(database: Database, user_id: str) -> None:
    """End all of the user's sessions, for instance since the password is another."""
    with database.transaction() as session:
        session.execute(delete(WebSession).where(WebSession.user_id == user_id))


def hash_of(token: str, secret: bytes) -> str:
    """What is stored of the token."""
    return hmac.new(secret, _PURPOSE + token.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
