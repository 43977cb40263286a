"""Repeatable requests: the key that a client chose, what it asked for with it, and the job that came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from export_pipelines.core.errors import KeyReusedError
from export_pipelines.db.tables import IdempotencyKey

KEPT = timedelta(hours=24)

_PRUNED_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class RequestKey:
    """What makes a request repeatable.

    Attributes:
        text: the client's own, 1 to 255 characters.
        fingerprint: equal for equal requests, and for no others.
    """

    text: str
    fingerprint: str


def find(session: Session, key: RequestKey, *, user_id: str, now: datetime) -> str | None:
    """The id of the job that the user's same request made within the last day; None when there was none.

    Raises:
        KeyReusedError: the key was another request's.
    """
    row = IdempotencyKey
    found = session.scalar(select(row).where(row.user_id == user_id, row.key == key.text, row.created_at > now - KEPT))
    if found is None:
        return None
    if found.fingerprint != key.fingerprint:
        raise KeyReusedError(
            "this Idempotency-Key came with another request within the last 24 hours; choose a new key for each "
            "request, and the same one only to repeat it."
        )
    return found.job_id


def remember(session: Session, key: RequestKey, *, user_id: str, job_id: str, now: datetime) -> None:
    """Write down what the request made; the key, when it is older than a day, is free again."""
    row = IdempotencyKey
    session.execute(delete(row).where(row.user_id == user_id, row.key == key.text, row.created_at <= now - KEPT))
    _prune(session, now=now)
    session.add(row(user_id=user_id, key=key.text, fingerprint=key.fingerprint, job_id=job_id, created_at=now))


def _prune(session: Session, *, now: datetime) -> None:
    """Drop some of what is over, whoever's it is; what others are dropping is left to them."""
    row = IdempotencyKey
    over = select(row.user_id, row.key).where(row.created_at <= now - KEPT).order_by(row.created_at)
    found = session.execute(over.limit(_PRUNED_AT_ONCE).with_for_update(skip_locked=True)).all()
    if found:
        gone = tuple_(row.user_id, row.key).in_([tuple(each) for each in found])
        session.execute(delete(row).where(gone), execution_options={"synchronize_session": False})
