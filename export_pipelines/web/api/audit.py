"""``/api/audit``: what happened to exports, and whether the log of it is what was written."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from export_pipelines.core.cursors import Position
from export_pipelines.core.errors import ForbiddenError
from export_pipelines.db.audit import AuditEntry
from export_pipelines.steps import audit_pages
from export_pipelines.steps.audit import AuditedPart, verify_part
from export_pipelines.steps.signing import known_keys
from export_pipelines.web.api.bodies import Answer, Moment, problems
from export_pipelines.web.api.pages import PageQuery, cut
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf

routes = resource("/audit", tag="audit")

_MOST = 100_000
_SHOWN = 100
_EXAMPLE: dict[str, Any] = {
    "position": 34,
    "at": "2026-03-01T12:00:00.000Z",
    "action": "downloaded",
    "job_id": "c0mwxrolsctu6mexgod8nlbn0",
    "user_id": None,
    "address": "192.0.2.7",
    "user_agent": "curl/8.5.0",
    "additional_data": {"share_id": "c0mwxrwrp2w7dy0wv1ga46s9k"},
}


class AuditQuery(PageQuery):
    """Which events."""

    job: Annotated[str, Field(max_length=64)] | None = Field(default=None, description="Only of this export.")
    action: Annotated[str, Field(max_length=30)] | None = Field(default=None, description="Only such.")


class EventAnswer(Answer):
    """A row of the log; who did it, as far as is known."""

    position: int
    at: Moment
    action: str
    job_id: str | None
    user_id: str | None
    address: str | None
    user_agent: str | None
    additional_data: dict[str, Any]

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class AuditPage(Answer):
    """A page of the log, the newest first."""

    items: list[EventAnswer]
    next_cursor: str | None


class VerifyQuery(BaseModel):
    """Which part of the log."""

    after: int = Field(default=0, ge=0, le=2**62, description="The position that was verified before: `next_after`.")
    limit: int = Field(default=20_000, ge=1, le=_MOST, description="How many rows.")

    model_config = ConfigDict(extra="forbid")


class VerifiedAnswer(Answer):
    """What is known of a part of the log."""

    intact: bool
    rows: int = Field(description="How many rows are as they were written, before the first that is not.")
    verified_to: int = Field(description="The position of the last of them.")
    log_ends: int = Field(description="The position of the log's last row.")
    next_after: int | None = Field(description="Send it as `after` to go on; null behind the end, or a problem.")
    checkpoints: int = Field(description="Signed checkpoints of the part that agree with its rows.")
    problems: list[str] = Field(description=f"The first damaged row in front; at most {_SHOWN}.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "intact": True,
                    "rows": 20000,
                    "verified_to": 20000,
                    "log_ends": 35200,
                    "next_after": 20000,
                    "checkpoints": 14,
                    "problems": [],
                }
            ]
        }
    )


@routes.get("", summary="Read the audit log", responses=problems(403, 404, 422))
def get_page(query: Annotated[AuditQuery, Query()], web: WebOf, caller: CallerOf) -> AuditPage:
    """What happened to the caller's exports, the newest first; for administrators, to everybody's."""
    found = audit_pages.page(
        web.services, caller, job_id=query.job, action=query.action, after=query.after, limit=query.limit + 1
    )
    items, end = cut(found, query, place=_place)
    return AuditPage(items=[_shown(entry) for entry in items], next_cursor=end)


@routes.get("/verify", summary="Verify the audit log", responses=problems(403, 422))
def verify(query: Annotated[VerifyQuery, Query()], web: WebOf, caller: CallerOf) -> VerifiedAnswer:
    """Check a part of the log against its hashes and signed checkpoints; for administrators.

    A long log takes several calls: each says how far it came. Whether rows are missing at the end, or came into the
    table past the chain, the call that reaches the end tells.
    """
    if not caller.is_administrator:
        raise ForbiddenError("verifying the audit log is for administrators.")
    keys = known_keys(web.services.settings)
    return _verified(verify_part(web.services.database, keys=keys, after=query.after, most=query.limit))


def _verified(part: AuditedPart) -> VerifiedAnswer:
    audited = part.audited
    goes_on = not part.is_last and not audited.problems
    return VerifiedAnswer(
        intact=not audited.problems,
        rows=audited.rows,
        verified_to=audited.end.position,
        log_ends=part.log_ends,
        next_after=audited.end.position if goes_on else None,
        checkpoints=audited.agreeing,
        problems=list(audited.problems[:_SHOWN]),
    )


def _place(entry: AuditEntry) -> Position:
    return Position(at=entry.at, id=str(entry.position))


def _shown(entry: AuditEntry) -> EventAnswer:
    return EventAnswer(
        position=entry.position or 0,
        at=entry.at,
        action=entry.action,
        job_id=entry.job_id,
        user_id=entry.actor.user_id,
        address=entry.actor.address,
        user_agent=entry.actor.user_agent,
        additional_data=dict(entry.data),
    )
