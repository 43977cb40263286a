"""Attempts to log in, counted so that nobody can try out passwords; exact however many processes count.

An attempt is written down before the password is looked at and taken back when it was right: of those that come at
once, no more are looked at than may fail.
"""

import hashlib
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from export_pipelines.core.errors import TooManyRequestsError
from export_pipelines.db.database import Database
from export_pipelines.db.tables import CountedRequest

LOGIN = "login"
MOST_FAILED = 10
WINDOW = timedelta(minutes=15)

_PRUNED_AT_ONCE = 200
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('export-pipelines login ' || :who, 0))")


def begin_attempt(database: Database, *, email: str, address: str | None, now: datetime) -> tuple[int, ...]:
    """Count an attempt as failed, for the e-mail address and for the network address; what to take back if it is not.

    Raises:
        TooManyRequestsError: one of the two has failed too often; the password is not to be looked at.
    """
    names = sorted({_of_email(email), f"address {address}"})
    with database.transaction() as session:
        # In one order, so that two who wait for each other's names cannot be.
        for who in names:
            session.execute(_ONE_AT_A_TIME, {"who": who})
        _prune(session, now=now)
        for who in names:
            mine = (CountedRequest.kind == LOGIN, CountedRequest.who == who, CountedRequest.at > now - WINDOW)
            query = select(CountedRequest.at).where(*mine).order_by(CountedRequest.at.desc()).limit(MOST_FAILED)
            times = list(session.scalars(query))
            if len(times) >= MOST_FAILED:
                raise _too_many(times[-1] + WINDOW - now)
        rows = [CountedRequest(kind=LOGIN, who=who, at=now) for who in names]
        session.add_all(rows)
        session.flush()
        return tuple(row.id for row in rows)


def take_back(database: Database, attempt: Sequence[int]) -> None:
    """The attempt's password was right."""
    with database.transaction() as session:
        session.execute(delete(CountedRequest).where(CountedRequest.id.in_(attempt)))


def _prune(session: Session, *, now: datetime) -> None:
    """Drop some of what counts no more; what others are dropping is left to them."""
    over = select(CountedRequest.id).where(CountedRequest.kind == LOGIN, CountedRequest.at <= now - WINDOW)
    ids = session.scalars(over.order_by(CountedRequest.at).limit(_PRUNED_AT_ONCE).with_for_update(skip_locked=True))
    session.execute(delete(CountedRequest).where(CountedRequest.id.in_(list(ids))))


def _of_email(email: str) -> str:
    """Hashed: people type passwords into the wrong field."""
    return "email " + hashlib.sha256(email.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()


def _too_many(left: timedelta) -> TooManyRequestsError:
    seconds = max(1, math.ceil(left.total_seconds()))
    minutes = math.ceil(seconds / 60)
    return TooManyRequestsError(
        f"There were too many wrong passwords. Try again in {minutes} minute{'' if minutes == 1 else 's'}.",
        retry_after=seconds,
    )
