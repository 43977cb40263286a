"""API keys: made once, shown once, and known afterwards only by a keyed hash and their first characters."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import created, live, need_text, record_of, records_of
from export_pipelines.db.tables import ApiKey, User

MARK = "ek_"
RANDOM_BYTES = 32
PREFIX_LENGTH = 12
USE_NOTED_EVERY = timedelta(minutes=1)
"""So that a key in constant use costs few writes."""


def create(
    database: Database, *, user_id: str, name: str, secret: bytes, expires_at: datetime | None = None, now: datetime
) -> records.NewApiKey:
    """A new key; this is the only time that the key itself can be had.

    Args:
        database: where.
        user_id: whose key it is.
        name: what the user calls it.
        secret: the deployment's secret, which the stored hash is keyed with.
        expires_at: when it stops working, None for never.
        now: the present moment.

    Raises:
        NotFoundError: there is no such user.
        ValidationError: the name is empty, or the expiry has passed already.
    """
    if expires_at is not None and expires_at <= now:
        raise ValidationError(
            f"The key would expire at {expires_at.isoformat()}, which has passed; choose a later time."
        )
    key = MARK + base64.urlsafe_b64encode(secrets.token_bytes(RANDOM_BYTES)).decode().rstrip("=")
    with database.transaction() as session:
        row = ApiKey(
            user_id=live(session, User, user_id).id,
            name=need_text(name, what="The key's name"),
            key_hash=hash_of(key, secret),
            prefix=key[:PREFIX_LENGTH],
            created_at=now,
            expires_at=expires_at,
        )
        return records.NewApiKey(record=record_of(records.ApiKey, created(session, row)), key=key)


def authenticate(database: Database, key: str, *, secret: bytes, now: datetime) -> records.User | None:
    """The user whose key this is, and note that it was used; None for a key unknown, revoked or expired."""
    query = select(ApiKey).where(ApiKey.key_hash == hash_of(key, secret), ApiKey.revoked_at.is_(None))
    with database.transaction() as session:
        row = session.scalar(query)
        if row is None or (row.expires_at is not None and row.expires_at <= now):
            return None
        if row.last_used_at is None or row.last_used_at <= now - USE_NOTED_EVERY:
            row.last_used_at = now
        return record_of(records.User, live(session, User, row.user_id))


def get(database: Database, key_id: str) -> records.ApiKey:
    """What is known of the key.

    Raises:
        NotFoundError: there is none with this id.
    """
    with database.transaction() as session:
        return record_of(records.ApiKey, live(session, ApiKey, key_id))


def list_for_user(database: Database, user_id: str) -> tuple[records.ApiKey, ...]:
    """The user's keys, the newest first, revoked ones too."""
    query = select(ApiKey).where(ApiKey.user_id == user_id).order_by(ApiKey.created_at.desc(), ApiKey.id)
    with database.transaction() as session:
        return records_of(session, records.ApiKey, query)


def rename(database: Database, key_id: str, *, name: str) -> records.ApiKey:
    """Another name for the key.

    Raises:
        NotFoundError: there is none with this id.
        ValidationError: the name is empty.
    """
    with database.transaction() as session:
        row = live(session, ApiKey, key_id, lock=True)
        row.name = need_text(name, what="The key's name")
        return record_of(records.ApiKey, row)


def revoke(database: Database, key_id: str, *, now: datetime) -> records.ApiKey:
    """Stop the key from working, for good; revoking again changes nothing.

    Raises:
        NotFoundError: there is none with this id.
    """
    with database.transaction() as session:
        row = live(session, ApiKey, key_id, lock=True)
        row.revoked_at = row.revoked_at or now
        return record_of(records.ApiKey, row)


def delete(database: Database, key_id: str) -> None:
    """Remove the key and every trace of it.

    Raises:
        NotFoundError: there is none with this id.
    """
    with database.transaction() as session:
        session.delete(live(session, ApiKey, key_id, lock=True))


def hash_of(key: str, secret: bytes) -> str:
    """Keyed, so that somebody who reads the table cannot try keys against it; quick, since a key is random enough."""
    return hmac.new(secret, key.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
