"""Shares of finished exports: given, revoked, and counted; whatever changes one is in the audit log with its id.

Whoever opens a share's link is asked for its row each time, so a share that was revoked opens nothing from then on.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_, update
from sqlalchemy.orm import Session

from export_pipelines.core.cursors import Position
from export_pipelines.core.deliveries import DeliveryEvent
from export_pipelines.core.errors import ConflictError, NotFoundError, TooManyRequestsError, ValidationError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.core.shares import NewShare, Share
from export_pipelines.core.waits import wait_shown
from export_pipelines.db import audit, counting
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.announcing import facts_of
from export_pipelines.db.jobs.outcomes import count_download_in
from export_pipelines.db.jobs.records import job_of
from export_pipelines.db.tables import ExportDelivery, ExportJobRow, ExportShareRow

MOST_IN_FORCE = 100
"""Shares of one job that are neither revoked nor over; a file for more people than these is published elsewhere."""
MOST_AN_HOUR = 100
"""Shares that one user gives: each sends a mail to whomever they like."""
_HOUR = timedelta(hours=1)
_SEE = "See: export-pipelines jobs shares ID"
_SHOWN = 5


def in_force(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """That a share is neither revoked nor over."""
    return (ExportShareRow.revoked_at.is_(None), ExportShareRow.expires_at > now)


def create(
    database: Database, new: NewShare, *, recipient: str, sharer: str, now: datetime, actor: audit.Actor | None = None
) -> Share:
    """Share a finished job's file, with the message that tells the recipient so in the outbox.

    Args:
        database: where.
        new: what is given, and to whom.
        recipient: the address that is written to.
        sharer: what the recipient knows the sharer by.
        now: the present moment.
        actor: who does it, for the audit log.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: it has no file for so long, or is shared with too many already.
        TooManyRequestsError: the user has shared too often within the hour.
    """
    with database.transaction() as session:
        counting.take_turn(session, new.created_by)
        _require_patience(session, new.created_by, now=now)
        job = _shareable(session, new, now=now)
        row = ExportShareRow(
            job_id=new.job_id,
            created_by=new.created_by,
            user_id=new.user_id,
            email=new.email,
            message=new.message,
            expires_at=new.expires_at,
            created_at=now,
        )
        session.add(row)
        session.flush()
        session.refresh(row)
        share = share_of(row)
        said = {"shared_by": sharer, "message": share.message, "expires_at": share.expires_at.isoformat()}
        session.add(
            ExportDelivery(
                job_id=job.id,
                attempt=job.attempt,
                event=DeliveryEvent.SHARED,
                recipient=recipient,
                data=facts_of(job) | said,
                next_try_at=now,
                created_at=now,
                share_id=share.id,
            )
        )
        audit.record(session, job_id=job.id, action="shared", at=now, actor=actor, data=_facts(share))
        return share


def revoke(database: Database, share_id: str, *, job_id: str, now: datetime, actor: audit.Actor | None = None) -> Share:
    """End a job's share now; one that was revoked before keeps its time.

    Raises:
        NotFoundError: the job has no such share.
    """
    of_job = (ExportShareRow.id == share_id, ExportShareRow.job_id == job_id)
    if not looks_like_id(share_id):
        raise _no_share(share_id)
    with database.transaction() as session:
        row = session.scalar(select(ExportShareRow).where(*of_job).with_for_update())
        if row is None:
            raise _no_share(share_id)
        if row.revoked_at is None:
            row.revoked_at = now
            audit.record(
                session, job_id=job_id, action="share_revoked", at=now, actor=actor, data=_facts(share_of(row))
            )
        return share_of(row)


def get(database: Database, share_id: str) -> Share:
    """The share of this id.

    Raises:
        NotFoundError: there is none; its job, or one of the two people, may have been deleted.
    """
    with database.transaction() as session:
        row = session.get(ExportShareRow, share_id)
        if row is None:
            raise _no_share(share_id)
        return share_of(row)


def find(database: Database, id_or_prefix: str) -> Share:
    """The one share whose id is, or begins with, what a person typed.

    Raises:
        NotFoundError: none does.
        ValidationError: several do.
    """
    fitting = ExportShareRow.id.startswith(id_or_prefix, autoescape=True)
    found = _select(database, fitting, limit=_SHOWN) if looks_like_id(id_or_prefix) else ()
    if not found:
        raise _no_share(id_or_prefix)
    if len(found) > 1:
        named = ", ".join(share.id for share in found)
        raise ValidationError(f"{id_or_prefix!r} begins the ids of several shares ({named}); type more of it.")
    return found[0]


def list_for_job(
    database: Database, job_id: str, *, after: Position | None = None, limit: int = 100
) -> tuple[Share, ...]:
    """The job's shares, the newest first, also those that are over; those behind a place in that order when given."""
    row = ExportShareRow
    conditions: list[ColumnElement[bool]] = [row.job_id == job_id]
    if after is not None:
        conditions.append(tuple_(row.created_at, row.id) < (after.at, after.id))
    return _select(database, *conditions, limit=limit)


def held_by(database: Database, job_id: str, *, user_id: str, now: datetime) -> Share | None:
    """The share that makes the user a viewer of the job now; of several the one that lasts longest."""
    theirs = (ExportShareRow.job_id == job_id, ExportShareRow.user_id == user_id, *in_force(now))
    query = select(ExportShareRow).where(*theirs).order_by(ExportShareRow.expires_at.desc(), ExportShareRow.id)
    with database.transaction() as session:
        row = session.scalar(query.limit(1))
        return None if row is None else share_of(row)


def is_viewer(database: Database, *, job_id: str, user_id: str, now: datetime) -> bool:
    """Whether the job is shared with the user now: not revoked, and not over."""
    return held_by(database, job_id, user_id=user_id, now=now) is not None


def note_link(
    database: Database, share: Share, *, expires_at: datetime, now: datetime, actor: audit.Actor | None = None
) -> None:
    """Write down that a further link of a share is made.

    Raises:
        ConflictError: the share was revoked, or ends before the link would.
    """
    with database.transaction() as session:
        alive = (ExportShareRow.id == share.id, ExportShareRow.expires_at >= expires_at, *in_force(now))
        # Held until the log has it: whoever revokes the share comes before, and is obeyed, or after.
        if session.scalar(select(ExportShareRow.id).where(*alive).with_for_update(read=True)) is None:
            raise _ended(share.id)
        data = {"expires_at": expires_at.isoformat(), "person": share.user_id, "share_id": share.id}
        audit.record(session, job_id=share.job_id, action="link_minted", at=now, actor=actor, data=data)


def count_download(
    database: Database, share: Share, *, now: datetime, actor: audit.Actor | None = None
) -> ExportJob | None:
    """Count one download for the share and for its job, and audit it; None unless the file is there, in its time.

    Raises:
        ConflictError: the share was revoked, or is over; nothing was counted.
    """
    values = {"download_count": ExportShareRow.download_count + 1, "last_downloaded_at": now}
    counted = update(ExportShareRow).where(ExportShareRow.id == share.id, *in_force(now)).values(**values)
    with database.transaction() as session:
        # First the job, as whoever deletes it does, so that neither waits for the other for ever.
        job = count_download_in(session, share.job_id, now=now, actor=actor, data={"share_id": share.id})
        if job is not None and session.scalar(counted.returning(ExportShareRow.id)) is None:
            raise _ended(share.id)
        return job


def share_of(row: ExportShareRow) -> Share:
    """The row as other layers see it."""
    return Share(
        id=row.id,
        job_id=row.job_id,
        created_by=row.created_by,
        user_id=row.user_id,
        email=row.email,
        message=row.message,
        expires_at=row.expires_at.astimezone(UTC),
        revoked_at=row.revoked_at and row.revoked_at.astimezone(UTC),
        download_count=row.download_count,
        last_downloaded_at=row.last_downloaded_at and row.last_downloaded_at.astimezone(UTC),
        created_at=row.created_at.astimezone(UTC),
    )


def _require_patience(session: Session, user_id: str, *, now: datetime) -> None:
    lately = (ExportShareRow.created_by == user_id, ExportShareRow.created_at > now - _HOUR)
    times = select(ExportShareRow.created_at).where(*lately).order_by(ExportShareRow.created_at.desc())
    given = list(session.scalars(times.limit(MOST_AN_HOUR)))
    if len(given) >= MOST_AN_HOUR:
        wait = max(1, math.ceil((given[-1] + _HOUR - now).total_seconds()))
        raise TooManyRequestsError(
            f"{MOST_AN_HOUR} exports were shared within an hour, which is as many as one user may; share again in "
            f"{wait_shown(wait)}.",
            retry_after=wait,
        )


def _shareable(session: Session, new: NewShare, *, now: datetime) -> ExportJob:
    """The job, which nobody changes or shares until the transaction ends."""
    query = select(ExportJobRow).where(ExportJobRow.id == new.job_id).with_for_update(key_share=True)
    row = session.scalar(query)
    if row is None:
        raise NotFoundError(f"There is no export job {new.job_id!r}. See: export-pipelines jobs")
    job = job_of(row)
    if job.status is not JobStatus.COMPLETED or job.expires_at is None or job.expires_at < new.expires_at:
        raise ConflictError(f"job {job.id} is {job.status} and has no file for so long; start a new export.")
    of_job = (ExportShareRow.job_id == job.id, *in_force(now))
    if (session.scalar(select(func.count()).select_from(ExportShareRow).where(*of_job)) or 0) >= MOST_IN_FORCE:
        raise ConflictError(f"job {job.id} is shared {MOST_IN_FORCE} times already; revoke a share first.")
    return job


def _facts(share: Share) -> dict[str, Any]:
    """What the audit log says of a share; its message is between two people."""
    return {
        "share_id": share.id,
        "person": share.user_id,
        "email": share.email,
        "expires_at": share.expires_at.isoformat(),
    }


def _select(database: Database, *conditions: ColumnElement[bool], limit: int) -> tuple[Share, ...]:
    newest = (ExportShareRow.created_at.desc(), ExportShareRow.id.desc())
    query = select(ExportShareRow).where(*conditions).order_by(*newest).limit(limit)
    with database.transaction() as session:
        return tuple(share_of(row) for row in session.scalars(query))


def _no_share(share_id: str) -> NotFoundError:
    return NotFoundError(f"There is no share {share_id[:80]!r}. {_SEE}")


def _ended(share_id: str) -> ConflictError:
    return ConflictError(f"share {share_id} was revoked or is over; whoever shared the file can share it again.")
