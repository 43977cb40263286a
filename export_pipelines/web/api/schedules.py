"""``/api/schedules``: exports by the clock."""

from typing import Annotated

from fastapi import BackgroundTasks, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from export_pipelines.core.cursors import Position
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.slots import read_zone
from export_pipelines.db import schedules
from export_pipelines.steps import owned
from export_pipelines.steps import schedules as steps
from export_pipelines.steps.create import create
from export_pipelines.steps.offers import require_offered
from export_pipelines.web.api.bodies import problems
from export_pipelines.web.api.creating import CREATED, KeyHeader, answer_created
from export_pipelines.web.api.exports_shown import CreatedAnswer
from export_pipelines.web.api.pages import OwnersQuery, cut
from export_pipelines.web.api.resource import resource
from export_pipelines.web.api.schedule_bodies import Pattern, ScheduleBody, ScheduleChange, Zone
from export_pipelines.web.api.schedules_shown import (
    OneSchedule,
    ScheduleAnswer,
    SchedulePage,
    SlotAnswer,
    Times,
    shown,
    slot_shown,
)
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import Web, WebOf

routes = resource("/schedules", tag="schedules")

NEXT_TIMES = 10
_BODY = (400, 408, 413, 422)


class TimesQuery(BaseModel):
    """A pattern to try out."""

    pattern: Pattern
    timezone: Zone = "UTC"
    count: int = Field(default=NEXT_TIMES, ge=1, le=100)

    model_config = ConfigDict(extra="forbid")


@routes.get("", summary="List schedules", responses=problems(403, 404, 422))
def get_page(query: Annotated[OwnersQuery, Query()], web: WebOf, caller: CallerOf) -> SchedulePage:
    """The caller's schedules, the newest first."""
    user_id = owned.whose(web.services, caller, user=query.user, everybody=query.everybody)
    found = schedules.page(web.services.database, user_id=user_id, after=query.after, limit=query.limit + 1)
    items, end = cut(found, query, place=lambda one: Position(at=one.created_at, id=one.id))
    return SchedulePage(items=[shown(one) for one in items], next_cursor=end)


@routes.post("", status_code=201, summary="Make a schedule", responses=problems(403, 404, 409, *_BODY))
def post(body: ScheduleBody, web: WebOf, caller: CallerOf) -> ScheduleAnswer:
    """Have an export made at every time that fits the pattern, from the next one on."""
    require_offered(caller, body.type)
    plan = body.plan(caller)
    made = steps.add(
        web.services,
        web.wall_times,
        plan.order,
        name=plan.name,
        cron_pattern=plan.cron_pattern,
        timezone=plan.timezone,
        missed_slots=plan.missed_slots,
    )
    return shown(made)


@routes.get("/preview", summary="Try a pattern out", responses=problems(422))
def get_times(query: Annotated[TimesQuery, Query()], web: WebOf, caller: CallerOf) -> Times:
    """When a pattern is due next, as Dagster reads it, in a time zone; nothing is made."""
    return Times(items=_times(web, query.pattern, query.timezone, count=query.count))


@routes.get("/{schedule_id}", summary="Look at a schedule", responses=problems(404))
def get_one(schedule_id: str, web: WebOf, caller: CallerOf) -> OneSchedule:
    """The schedule with its next ten times; of a paused one, the times that it would have."""
    found = owned.schedule(web.services, caller, schedule_id)
    try:
        times = _times(web, found.cron_pattern, found.timezone, count=NEXT_TIMES)
    except ValidationError:
        # A zone that was renamed, say; the dispatcher pauses such a schedule, and gives the reason.
        times = []
    return OneSchedule(**shown(found).model_dump(), next_times=times)


@routes.patch("/{schedule_id}", summary="Change a schedule", responses=problems(404, 409, *_BODY))
def patch(schedule_id: str, body: ScheduleChange, web: WebOf, caller: CallerOf) -> ScheduleAnswer:
    """Change what is given; checked as if the schedule were made now. A paused one stays paused."""
    found = owned.schedule(web.services, caller, schedule_id)
    return shown(steps.change(web.services, web.wall_times, found, body.plan(steps.plan_of(found))))


@routes.post("/{schedule_id}/pause", summary="Pause a schedule", responses=problems(404))
def pause(schedule_id: str, web: WebOf, caller: CallerOf) -> ScheduleAnswer:
    """Stop it until it is resumed; one that is paused already keeps its reason."""
    return shown(steps.pause(web.services, owned.schedule(web.services, caller, schedule_id)))


@routes.post("/{schedule_id}/resume", summary="Resume a schedule", responses=problems(404, 422))
def resume(schedule_id: str, web: WebOf, caller: CallerOf) -> ScheduleAnswer:
    """Let it go on with its next time; what came while it was paused is not made up for."""
    found = owned.schedule(web.services, caller, schedule_id)
    return shown(steps.resume(web.services, web.wall_times, found))


@routes.post(
    "/{schedule_id}/run-now",
    status_code=202,
    summary="Run a schedule now",
    responses={**CREATED, **problems(403, 404, 409, 422, 429)},
)
def run_now(
    schedule_id: str, web: WebOf, caller: CallerOf, response: Response, after: BackgroundTasks, key: KeyHeader = None
) -> CreatedAnswer:
    """Make its export now, besides those at its times; counts like a request for an export."""
    found = owned.schedule(web.services, caller, schedule_id)
    made = create(web.services, caller, steps.order_of(found), key=key)
    return answer_created(web, made, response, after, retry_of=None)


@routes.delete("/{schedule_id}", status_code=204, summary="Remove a schedule", responses=problems(404))
def delete(schedule_id: str, web: WebOf, caller: CallerOf) -> None:
    """Remove it; the exports that it gave stay."""
    schedules.remove(web.services.database, owned.schedule(web.services, caller, schedule_id).id)


def _times(web: Web, pattern: str, timezone: str, *, count: int) -> list[SlotAnswer]:
    now = web.services.clock()
    slots = steps.upcoming(web.wall_times, cron_pattern=pattern, timezone=timezone, count=count, now=now)
    zone = read_zone(timezone)
    return [slot_shown(slot, zone) for slot in slots]
