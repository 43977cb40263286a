"""Counting requests that are limited: exact however many processes count, since one user's are counted one by one."""

import math
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from export_pipelines.core.errors import TooManyRequestsError
from export_pipelines.core.waits import wait_shown
from export_pipelines.db.tables import CountedRequest

CREATE = "create"
"""Requests that make a job, or have one taken up again."""
WINDOW = timedelta(hours=1)

_PRUNED_AT_ONCE = 200
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('export-pipelines request ' || :who, 0))")
# A crowd of one user's requests must not hold everybody's connections for long.
_NOT_FOR_EVER = text("SET LOCAL lock_timeout = '10s'")
_AS_LONG_AS_USUAL = text("SET LOCAL lock_timeout TO DEFAULT")


def take_turn(session: Session, who: str) -> None:
    """Let this transaction be the only one of ``who`` that counts or remembers requests, until it ends.

    The database gives up, as one that is away, when it is not this one's turn within seconds.
    """
    session.execute(_NOT_FOR_EVER)
    session.execute(_ONE_AT_A_TIME, {"who": who})
    session.execute(_AS_LONG_AS_USUAL)


def count(session: Session, *, who: str, most: int, now: datetime) -> None:
    """Count one more creating request, unless there were ``most`` within the hour; needs :func:`take_turn`.

    Raises:
        TooManyRequestsError: there were; it says when the first of them is an hour old.
    """
    _prune(session, now=now)
    row = CountedRequest
    mine = (row.kind == CREATE, row.who == who, row.at > now - WINDOW)
    # As many newest ones as may be: when the last of these is an hour old, there is room for one.
    times = list(session.scalars(select(row.at).where(*mine).order_by(row.at.desc()).limit(most)))
    if len(times) >= most:
        wait = max(1, math.ceil((times[-1] + WINDOW - now).total_seconds()))
        raise TooManyRequestsError(
            f"{most} exports were asked for within an hour, which is as many as one user may; "
            f"ask again in {wait_shown(wait)}.",
            retry_after=wait,
        )
    session.add(row(kind=CREATE, who=who, at=now))


def _prune(session: Session, *, now: datetime) -> None:
    """Drop some of what counts no more, whoever's it is; what others are dropping is left to them."""
    row = CountedRequest
    over = select(row.id).where(row.kind == CREATE, row.at <= now - WINDOW).order_by(row.at).limit(_PRUNED_AT_ONCE)
    ids = list(session.scalars(over.with_for_update(skip_locked=True)))
    if ids:
        session.execute(delete(row).where(row.id.in_(ids)), execution_options={"synchronize_session": False})
