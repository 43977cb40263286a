"""The outbox: who sends which message now, and what became of it.

A sender claims one delivery at a time, for as long as a lease. Whoever dies over it lets the lease run out, and the
message is sent again under the same id: at least once, and never twice at the same moment.
"""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from export_pipelines.core.cursors import Position
from export_pipelines.core.deliveries import WEBHOOK, Delivery, DeliveryEvent, DeliveryState
from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.db.database import Database
from export_pipelines.db.tables import ExportDelivery, ExportJobRow

_UNCLAIMED = {"claim": None, "claimed_until": None}
_PENDING = ExportDelivery.state == DeliveryState.PENDING
_ERROR_LENGTH = 2_000
_SHOWN = 5
"""How many of the deliveries that a prefix fits an error names."""


def claim(
    database: Database,
    *,
    now: datetime,
    lease: timedelta,
    passing_over: Collection[tuple[str, str]] = (),
    without_mail: bool = False,
) -> Delivery | None:
    """Take the delivery that has been due for longest, and count the try; None when nothing is due.

    Args:
        database: where.
        now: the present moment.
        lease: how long it is ours; longer than sending takes.
        passing_over: recipients, as (user id, recipient), that have just proved to be away.
        without_mail: take webhooks only.
    """
    conditions = [_PENDING, ExportDelivery.next_try_at <= now, _free(now)]
    if passing_over:
        whose = tuple_(ExportJobRow.user_id, ExportDelivery.recipient)
        conditions.append(whose.not_in(list(passing_over)))
    if without_mail:
        conditions.append(ExportDelivery.recipient.startswith(WEBHOOK, autoescape=True))
    query = (
        select(ExportDelivery)
        .join(ExportJobRow, ExportJobRow.id == ExportDelivery.job_id)
        .where(*conditions)
        .order_by(ExportDelivery.next_try_at, ExportDelivery.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ExportDelivery)
    )
    with database.transaction() as session:
        row = session.scalar(query)
        if row is None:
            return None
        row.claim, row.claimed_until, row.tries = secrets.token_hex(16), now + lease, row.tries + 1
        session.flush()
        return _delivery(row)


def mark_sent(database: Database, delivery: Delivery, *, now: datetime) -> None:
    """It was handed over; true also for a sender whose lease ran out meanwhile."""
    values = {"state": DeliveryState.SENT, "sent_at": now, "last_error": None, **_UNCLAIMED}
    _change(database, ExportDelivery.id == delivery.id, _PENDING, values=values)


def put_off(database: Database, delivery: Delivery, *, error: str, until: datetime) -> None:
    """It was not handed over, and is tried again later; nothing changes when somebody else has it by now."""
    _change(database, *_ours(delivery), values={"next_try_at": until, "last_error": _text(error), **_UNCLAIMED})


def give_up(database: Database, delivery: Delivery, *, error: str) -> None:
    """It will not be tried again by itself; nothing changes when somebody else has it by now."""
    values = {"state": DeliveryState.DEAD, "last_error": _text(error), **_UNCLAIMED}
    _change(database, *_ours(delivery), values=values)


def retry(database: Database, delivery_id: str, *, now: datetime) -> Delivery:
    """Have a delivery that was given up, or waits for its next try, tried anew, with all its tries before it.

    Raises:
        NotFoundError: there is no such delivery.
        ConflictError: it was sent, or is being sent right now.
    """
    values = {"state": DeliveryState.PENDING, "tries": 0, "next_try_at": now, **_UNCLAIMED}
    retriable = ExportDelivery.state.in_((DeliveryState.PENDING, DeliveryState.DEAD))
    if _change(database, ExportDelivery.id == delivery_id, retriable, _free(now), values=values):
        return get(database, delivery_id)
    delivery = get(database, delivery_id)
    how = f"was sent at {delivery.sent_at:%Y-%m-%d %H:%M} UTC" if delivery.sent_at else "is being sent right now"
    raise ConflictError(f"delivery {delivery_id} {how}; there is nothing to retry.")


def get(database: Database, delivery_id: str) -> Delivery:
    """The delivery of this id.

    Raises:
        NotFoundError: there is none.
    """
    with database.transaction() as session:
        row = session.get(ExportDelivery, delivery_id)
        if row is None:
            raise NotFoundError(f"There is no delivery {delivery_id!r}. See: export-pipelines deliveries list")
        return _delivery(row)


def find(database: Database, id_or_prefix: str) -> Delivery:
    """The one delivery whose id is, or begins with, what a person typed.

    Raises:
        NotFoundError: none does.
        ValidationError: several do.
    """
    fitting = ExportDelivery.id.startswith(id_or_prefix, autoescape=True)
    found = _select(database, fitting, limit=_SHOWN) if looks_like_id(id_or_prefix) else ()
    if not found:
        raise NotFoundError(f"There is no delivery {id_or_prefix!r}. See: export-pipelines deliveries list")
    if len(found) > 1:
        named = ", ".join(delivery.id for delivery in found)
        raise ValidationError(f"{id_or_prefix!r} begins the ids of several deliveries ({named}); type more of it.")
    return found[0]


def list_deliveries(
    database: Database, *, job_id: str | None = None, state: DeliveryState | None = None, limit: int = 100
) -> tuple[Delivery, ...]:
    """The newest deliveries, newest first, narrowed down by whatever is given."""
    conditions = []
    if job_id is not None:
        conditions.append(ExportDelivery.job_id == job_id)
    if state is not None:
        conditions.append(ExportDelivery.state == state)
    return _select(database, *conditions, limit=limit)


def page(
    database: Database,
    *,
    user_id: str | None = None,
    job_id: str | None = None,
    state: DeliveryState | None = None,
    after: Position | None = None,
    limit: int,
) -> tuple[Delivery, ...]:
    """At most so many deliveries, newest first, about jobs of one user when asked, and behind a place in that order."""
    row = ExportDelivery
    wanted = {row.job_id: job_id, row.state: state}
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if user_id is not None:
        conditions.append(row.job_id.in_(_jobs_of(user_id)))
    if after is not None:
        conditions.append(tuple_(row.created_at, row.id) < (after.at, after.id))
    return _select(database, *conditions, limit=limit)


def retry_dead(
    database: Database, *, user_id: str | None = None, most: int = 1_000, now: datetime
) -> tuple[Delivery, ...]:
    """Have deliveries that were given up tried anew, about jobs of one user when asked; those, the oldest first."""
    dead = select(ExportDelivery.id).where(ExportDelivery.state == DeliveryState.DEAD)
    if user_id is not None:
        dead = dead.where(ExportDelivery.job_id.in_(_jobs_of(user_id)))
    oldest = dead.order_by(ExportDelivery.created_at, ExportDelivery.id).limit(most)
    with database.transaction() as session:
        ids = session.scalars(oldest.with_for_update(skip_locked=True)).all()
        values = {"state": DeliveryState.PENDING, "tries": 0, "next_try_at": now, **_UNCLAIMED}
        again = update(ExportDelivery).where(ExportDelivery.id.in_(ids)).values(**values).returning(ExportDelivery)
        rows = session.scalars(again, execution_options={"synchronize_session": False})
        return tuple(sorted((_delivery(row) for row in rows), key=lambda one: (one.created_at, one.id)))


def waiting(database: Database) -> int:
    """How many deliveries are still to be sent."""
    with database.transaction() as session:
        return session.scalar(select(func.count()).select_from(ExportDelivery).where(_PENDING)) or 0


def _jobs_of(user_id: str) -> Select[str]:
    return select(ExportJobRow.id).where(ExportJobRow.user_id == user_id)


def _free(now: datetime) -> ColumnElement[bool]:
    """That nobody sends it at the moment."""
    return or_(ExportDelivery.claim.is_(None), ExportDelivery.claimed_until <= now)


def _ours(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    """That the claim under which it was taken still holds."""
    return (ExportDelivery.id == delivery.id, and_(_PENDING, ExportDelivery.claim == delivery.claim))


def _change(database: Database, *conditions: ColumnElement[bool], values: dict[str, Any]) -> bool:
    with database.transaction() as session:
        return _changed(session, *conditions, values=values)


def _changed(session: Session, *conditions: ColumnElement[bool], values: dict[str, Any]) -> bool:
    statement = update(ExportDelivery).where(*conditions).values(**values).returning(ExportDelivery.id)
    return session.scalar(statement, execution_options={"synchronize_session": False}) is not None


def _select(database: Database, *conditions: ColumnElement[bool], limit: int) -> tuple[Delivery, ...]:
    newest = (ExportDelivery.created_at.desc(), ExportDelivery.id.desc())
    query = select(ExportDelivery).where(*conditions).order_by(*newest).limit(limit)
    with database.transaction() as session:
        return tuple(_delivery(row) for row in session.scalars(query))


def _delivery(row: ExportDelivery) -> Delivery:
    return Delivery(
        id=row.id,
        job_id=row.job_id,
        attempt=row.attempt,
        event=DeliveryEvent(row.event),
        recipient=row.recipient,
        state=row.state,
        data=row.data,
        tries=row.tries,
        next_try_at=row.next_try_at.astimezone(UTC),
        created_at=row.created_at.astimezone(UTC),
        claim=row.claim,
        claimed_until=_utc(row.claimed_until),
        last_error=row.last_error,
        sent_at=_utc(row.sent_at),
        share_id=row.share_id,
    )


def _text(error: str) -> str:
    """The error as PostgreSQL can store it, and no longer than a person reads."""
    text = error.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text[:_ERROR_LENGTH].strip() or "no reason was given"


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)
