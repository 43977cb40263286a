"""``/api/exports``: list exports, look at one, end one."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import BackgroundTasks, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.steps.access import readable
from export_pipelines.steps.end import Ending, end
from export_pipelines.steps.job_lists import MOST, Wanted, list_jobs
from export_pipelines.web import log_lines
from export_pipelines.web.api.bodies import Answer, problems
from export_pipelines.web.api.exports_shown import EXAMPLE, ExportAnswer, ExportPage, show_all
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf

routes = resource("/exports", tag="exports")

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d))?", re.ASCII)


def _within_bounds(moment: datetime) -> datetime:
    """A year that stays one in every time zone; no schema can ask for it, so it is not the shape that is wrong."""
    if not 1 < moment.year < 9999:
        raise ValidationError(f"the year of a time must be between 2 and 9998, but is {moment.year}.")
    return moment


def _as_written(value: object) -> object:
    """Times and days as RFC 3339 writes them; a bare number would be read as seconds since 1970."""
    if isinstance(value, str) and _WRITTEN.fullmatch(value) is None:
        raise ValueError("it must be written like 2026-03-01T12:00:00Z, a day like 2026-03-01")
    return value


def _read_switch(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


When = Annotated[AwareDatetime, BeforeValidator(_as_written), AfterValidator(_within_bounds)]
Day = Annotated[date, BeforeValidator(_as_written)]
Switch = Annotated[bool, BeforeValidator(_read_switch), Field(strict=True)]
Remembered = Annotated[str, Field(max_length=200)]


class ListQuery(BaseModel):
    """What a list of exports is narrowed down by."""

    status: list[JobStatus] = Field(default=[], max_length=20, description="Only these; may be given more than once.")
    type: Remembered | None = Field(default=None, description="Only of this type; any case.")
    q: Remembered = Field(default="", description="What the title or the id holds; any case.")
    since: When | None = Field(default=None, alias="from", description="Made at this time or later.")
    until: When | None = Field(default=None, alias="to", description="Made before this time.")
    user: Remembered | None = Field(default=None, description="Of this user: e-mail or id. For administrators.")
    everybody: Switch = Field(default=False, alias="all", description="Everybody's. For administrators.")
    shared: Switch = Field(default=False, description="What is shared with you, instead of your own.")
    cursor: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )
    limit: int = Field(default=50, ge=1, le=MOST)

    model_config = ConfigDict(extra="forbid")


class EndedAnswer(Answer):
    """What was done to an export; `export` is how it was left, or was before it was deleted."""

    done: Ending = Field(description="`cancelled`: it was not over; `deleted`: it was, and its file is gone too.")
    export: ExportAnswer

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"done": "cancelled", "export": {**EXAMPLE, "status": "CANCELLED"}}]}
    )


@routes.get("", summary="List exports", responses=problems(403, 404, 422))
def get_page(query: Annotated[ListQuery, Query()], web: WebOf, caller: CallerOf) -> ExportPage:
    """The caller's exports, the newest first."""
    values: dict[str, Any] = query.model_dump(exclude={"status", "q"})
    wanted = Wanted(statuses=tuple(query.status), text=query.q, **values)
    page = list_jobs(web.services, caller, wanted)
    return ExportPage(items=list(show_all(web.services, page.jobs)), next_cursor=page.next_cursor)


@routes.get("/{export_id}", summary="Look at an export", responses=problems(404, 422))
def get_one(export_id: str, web: WebOf, caller: CallerOf) -> ExportAnswer:
    """The whole row with its progress, what the file could not keep, and whether there is a file."""
    job = readable(web.services, caller, export_id)
    log_lines.is_about_job(job)
    [shown] = show_all(web.services, [job])
    return shown


@routes.delete("/{export_id}", summary="Cancel or delete an export", responses=problems(403, 404, 409, 422))
def delete_one(export_id: str, web: WebOf, caller: CallerOf, after: BackgroundTasks) -> EndedAnswer:
    """Cancel an export that is PENDING or PROCESSING; delete one that is over, with its file.

    Whoever works on a cancelled export stops within seconds. What is deleted stays in the audit log.
    """
    ended = end(web.services, caller, export_id)
    log_lines.is_about_job(ended.job)
    if ended.done is Ending.CANCELLED:
        after.add_task(web.dagster.terminate, web.services, ended.job)
    [shown] = show_all(web.services, [ended.job])
    return EndedAnswer(done=ended.done, export=shown)
