"""Pages of the audit log as callers may see them: of their own jobs, for administrators of all."""

from export_pipelines.core.cursors import Position
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.db import audit
from export_pipelines.db.audit import AuditEntry
from export_pipelines.db.tables import ACTIONS
from export_pipelines.steps.access import manageable
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.services import Services


def page(
    services: Services,
    caller: Caller,
    *,
    job_id: str | None,
    action: str | None,
    after: Position | None,
    limit: int,
) -> tuple[AuditEntry, ...]:
    """At most so many events, the newest first, behind a place in that order.

    Args:
        services: collaborators.
        caller: who asks.
        job_id: only of this job; its history is there after it was deleted, too.
        action: only such events.
        after: the event that the page before ended with, its ``id`` being the position in the chain.
        limit: how many.

    Raises:
        ValidationError: there is no such action, or the place is none.
        NotFoundError, ForbiddenError: the job is not the caller's.
    """
    if action is not None and action not in ACTIONS:
        raise ValidationError(f"action {action!r} is unknown; there are {', '.join(ACTIONS)}.")
    user_id = None if caller.is_administrator else caller.user.id
    if job_id is not None and user_id is not None:
        _require_own(services, caller, job_id)
        user_id = None
    before = None if after is None else _position(after)
    return audit.page(services.database, user_id=user_id, job_id=job_id, action=action, before=before, limit=limit)


def _require_own(services: Services, caller: Caller, job_id: str) -> None:
    try:
        manageable(services, caller, job_id)
    except NotFoundError:
        if "\x00" in job_id or audit.owner_of_deleted(services.database, job_id) != caller.user.id:
            raise


def _position(after: Position) -> int:
    if not (after.id.isascii() and after.id.isdecimal() and len(after.id) <= 18):
        raise ValidationError("cursor is not one that a page of the audit log came with; leave it out.")
    return int(after.id)
