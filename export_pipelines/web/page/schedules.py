"""The visitor's schedules: listed with their next times, paused, resumed, run at once, removed."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import Response

from export_pipelines.core.errors import NotFoundError, RequestError, TooManyRequestsError
from export_pipelines.core.schedules import Schedule
from export_pipelines.core.slots import Slot
from export_pipelines.db import schedules
from export_pipelines.steps import owned
from export_pipelines.steps import schedules as steps
from export_pipelines.steps.create import create
from export_pipelines.web.page.jobs_shown import TYPE_TITLES
from export_pipelines.web.page.subjects import called
from export_pipelines.web.page.visits import SenderOf, Visit, VisitOf, dated, see, told
from export_pipelines.web.problems import Problem, ProblemError

TIMES = 10

routes = APIRouter(include_in_schema=False)


@routes.get("/schedules")
def show(visit: VisitOf) -> Response:
    """The list."""
    return _page(visit)


@routes.post("/schedules/{schedule_id}/pause")
def pause(visit: SenderOf, schedule_id: str) -> Response:
    """Stop it until it is resumed."""
    return _done(visit, schedule_id, "paused", lambda found: steps.pause(visit.services, found))


@routes.post("/schedules/{schedule_id}/resume")
def resume(visit: SenderOf, schedule_id: str) -> Response:
    """Let it go on with its next time."""
    times = visit.web.wall_times
    return _done(visit, schedule_id, "resumed", lambda found: steps.resume(visit.services, times, found))


@routes.post("/schedules/{schedule_id}/remove")
def remove(visit: SenderOf, schedule_id: str) -> Response:
    """Remove it; the exports that it made stay."""
    return _done(visit, schedule_id, "removed", lambda found: schedules.remove(visit.services.database, found.id))


@routes.post("/schedules/{schedule_id}/run")
def run(visit: SenderOf, schedule_id: str, later: BackgroundTasks) -> Response:
    """Make its export now, and show it."""
    found = _mine(visit, schedule_id)
    try:
        made = create(visit.services, visit.caller, steps.order_of(found))
    except RequestError as error:
        status = 429 if isinstance(error, TooManyRequestsError) else 422
        return dated(_page(visit, status=status, error=told(error)), error)
    later.add_task(visit.web.dagster.launch, visit.services)
    return see(f"/exports/{made.job.id}", notice="started")


def written_times(slots: tuple[Slot, ...], timezone: str) -> list[str]:
    """Times as the clock on the wall of the schedule's zone shows them."""
    zone = ZoneInfo(timezone)
    return [f"{_weekday(slot.at.astimezone(zone))} ({slot.at.astimezone(zone):%Z})" for slot in slots]


def _weekday(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


def _page(visit: Visit, *, status: int = 200, error: str = "") -> Response:
    found = schedules.list_schedules(visit.services.database, user_id=visit.caller.user.id)
    shown = [
        {
            "schedule": schedule,
            "type_title": TYPE_TITLES.get(schedule.type, schedule.type),
            "subject": called(visit.services.database, schedule.type, str(schedule.input.get("subject_id", ""))),
            "times": _times(visit, schedule),
        }
        for schedule in found
    ]
    return visit.page("schedules.html", place="/schedules", status=status, schedules=shown, error=error)


def _times(visit: Visit, schedule: Schedule) -> list[str]:
    """The next ones; none of a schedule that is paused, or whose row plain SQL has made wrong."""
    if not schedule.active:
        return []
    try:
        slots = steps.upcoming(
            visit.web.wall_times,
            cron_pattern=schedule.cron_pattern,
            timezone=schedule.timezone,
            count=TIMES,
            now=visit.now,
        )
    except RequestError:
        return []
    return written_times(slots, schedule.timezone)


def _done(visit: Visit, schedule_id: str, notice: str, act: Callable[[Schedule], object]) -> Response:
    found = _mine(visit, schedule_id)
    try:
        act(found)
    except RequestError as error:
        return _page(visit, status=422, error=told(error))
    return see("/schedules", notice=notice)


def _mine(visit: Visit, schedule_id: str) -> Schedule:
    try:
        return owned.schedule(visit.services, visit.caller, schedule_id)
    except NotFoundError:
        detail = "It was removed, or it is not yours. Your own are under “Schedules”."
        problem = Problem(status=404, code="not-found", title="There is no such schedule", detail=detail)
        raise ProblemError(problem) from None
