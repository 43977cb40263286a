"""``/api/exports/{export_id}/share``: a finished export for others than its owner."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import ConfigDict, Field, JsonValue

from export_pipelines.core.cursors import Position
from export_pipelines.core.shares import MESSAGE_LENGTH, Share, ShareState
from export_pipelines.db import shares
from export_pipelines.db.evaluation import users
from export_pipelines.steps import shares as steps
from export_pipelines.steps.access import manageable
from export_pipelines.web.api.bodies import Answer, Body, Moment, problems
from export_pipelines.web.api.pages import PageQuery, cut
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf

routes = resource("/exports/{export_id}/share", tag="shares")

_SHARE: dict[str, JsonValue] = {
    "id": "c0mwxrwrp2w7dy0wv1ga46s9k",
    "job_id": "c0mwxrolsctu6mexgod8nlbn0",
    "shared_with": "eve@example.org",
    "user_id": None,
    "created_by": "c4mmvt69yvfyh54nttnyuatal",
    "message": "The April run, as promised.",
    "state": "IN_FORCE",
    "created_at": "2026-03-01T12:00:00.000Z",
    "expires_at": "2026-03-02T12:00:00.000Z",
    "revoked_at": None,
    "download_count": 0,
    "last_downloaded_at": None,
}


class ShareBody(Body):
    """With whom, for how long, and what they are told."""

    to: Annotated[
        str, Field(min_length=1, max_length=320, description="Anybody's e-mail address, or the id of a user.")
    ]
    expires_in_days: Annotated[
        int | None,
        Field(ge=1, le=30, description="As long as the file without it, and never longer than the file."),
    ] = None
    message: Annotated[str, Field(max_length=MESSAGE_LENGTH, description="What the recipient is told besides.")] = ""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [{"to": "eve@example.org", "expiresInDays": 1, "message": "The April run, as promised."}]
        },
    )


class ShareAnswer(Answer):
    """A share; ``user_id`` is set when it makes a user of ours a viewer of the job."""

    id: str
    job_id: str
    shared_with: str
    user_id: str | None
    created_by: str
    message: str
    state: ShareState
    created_at: Moment
    expires_at: Moment
    revoked_at: Moment | None
    download_count: int
    last_downloaded_at: Moment | None

    model_config = ConfigDict(json_schema_extra={"examples": [_SHARE]})


class GivenAnswer(ShareAnswer):
    """A share that was just given, and its link, which is not shown again."""

    download_url: str
    until_file_ends: Annotated[
        bool, Field(description="Whether it ends with the file: no days were named, or more than the file has left.")
    ]
    is_mailed: Annotated[
        bool, Field(description="Whether a mail with the link is on its way; if not, hand the link over yourself.")
    ]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_SHARE,
                    "download_url": "https://exports.example.org/downloads/AgAAAABr...",
                    "until_file_ends": True,
                    "is_mailed": True,
                }
            ]
        }
    )


class SharePage(Answer):
    """A page of shares, the newest first."""

    items: list[ShareAnswer]
    next_cursor: str | None


@routes.post("", status_code=201, summary="Share an export", responses=problems(400, 403, 404, 408, 409, 413, 422, 429))
def give(export_id: str, body: ShareBody, web: WebOf, caller: CallerOf) -> GivenAnswer:
    """Share a completed export's file with a user, who may then read the job and make links, or an address outside.

    The recipient is told by mail. The answer has the link, this once. Each share counts its own downloads.
    """
    job = manageable(web.services, caller, export_id)
    wish = steps.Wish(to=body.to, days=body.expires_in_days, message=body.message)
    given = steps.share(web.services, job, wish, shared_by=caller.user.id, actor=caller.actor)
    shown = _shown(given.share, _emails(web, (given.share,)), now=web.services.clock())
    return GivenAnswer(
        **shown.model_dump(),
        download_url=given.link,
        until_file_ends=given.until_file_ends,
        is_mailed=given.is_mailed,
    )


@routes.get("", summary="List whom it is shared with", responses=problems(403, 404, 422))
def get_page(export_id: str, query: Annotated[PageQuery, Query()], web: WebOf, caller: CallerOf) -> SharePage:
    """Every share of the export with its count of downloads, also those that are revoked or over."""
    job = manageable(web.services, caller, export_id)
    found = shares.list_for_job(web.services.database, job.id, after=query.after, limit=query.limit + 1)
    items, end = cut(found, query, place=lambda share: Position(at=share.created_at, id=share.id))
    emails, now = _emails(web, items), web.services.clock()
    return SharePage(items=[_shown(share, emails, now=now) for share in items], next_cursor=end)


@routes.delete("/{grant}", summary="Revoke a share", responses=problems(403, 404))
def revoke(export_id: str, grant: str, web: WebOf, caller: CallerOf) -> ShareAnswer:
    """End a share at once: its links open nothing from now on, and a viewer does not see the job any more."""
    job = manageable(web.services, caller, export_id)
    now = web.services.clock()
    ended = shares.revoke(web.services.database, grant, job_id=job.id, now=now, actor=caller.actor)
    return _shown(ended, _emails(web, (ended,)), now=now)


def _emails(web: WebOf, found: Sequence[Share]) -> Mapping[str, str]:
    return users.emails_of(web.services.database, [share.user_id for share in found if share.user_id])


def _shown(share: Share, emails: Mapping[str, str], *, now: datetime) -> ShareAnswer:
    """The row, with whom it is shared with by name; a user may be deleted in this very moment."""
    return ShareAnswer(
        id=share.id,
        job_id=share.job_id,
        shared_with=share.email or emails.get(share.user_id or "", ""),
        user_id=share.user_id,
        created_by=share.created_by,
        message=share.message,
        state=share.state(now),
        created_at=share.created_at,
        expires_at=share.expires_at,
        revoked_at=share.revoked_at,
        download_count=share.download_count,
        last_downloaded_at=share.last_downloaded_at,
    )
