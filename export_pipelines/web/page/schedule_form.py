"""The form for a new schedule."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.core.errors import RequestError
from export_pipelines.core.schedules import MissedSlots
from export_pipelines.steps import schedules as steps
from export_pipelines.web.page import order
from export_pipelines.web.page.forms import Form, FormOf
from export_pipelines.web.page.offered import offered, offered_type
from export_pipelines.web.page.schedules import TIMES, written_times
from export_pipelines.web.page.visits import FRAGMENT, SenderOf, Visit, VisitOf, see, told

_TEMPLATES = {Subject.RUN: "@latest", Subject.DAY: "@yesterday"}

routes = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Given(order.Given):
    """What the form is filled in with."""

    name: str = ""
    cron: str = "30 2 * * *"
    timezone: str = "UTC"
    missed: str = MissedSlots.SKIP


@routes.get("/schedules/new")
def types(visit: VisitOf) -> Response:
    """What there is to choose from."""
    return visit.page("schedule_form.html", place="/schedules", type=None, types=offered(visit), error="")


@routes.get("/schedules/new/{name}")
def form(visit: VisitOf, name: str) -> Response:
    """The form for one type, with its defaults."""
    type_ = offered_type(visit, name)
    options = {option.name: option.default for option in type_.options}
    return _page(visit, type_, Given(subject=_TEMPLATES.get(type_.subject, ""), options=options))


@routes.post("/schedules/new/{name}")
def sent(request: Request, visit: SenderOf, name: str, form: FormOf) -> Response:
    """The form with one of its buttons pressed."""
    type_ = offered_type(visit, name)
    given = _read(type_, form)
    if form.text("action") == "add":
        return _add(visit, type_, given)
    seen = _times(visit, given)
    if FRAGMENT in request.headers:
        return visit.fragment("_times.html", **seen)
    return _page(visit, type_, given, seen=seen)


def _add(visit: Visit, type_: ExportType, given: Given) -> Response:
    try:
        steps.add(
            visit.services,
            visit.web.wall_times,
            order.order_of(visit, type_, given),
            name=given.name,
            cron_pattern=given.cron,
            timezone=given.timezone,
            missed_slots=MissedSlots(given.missed),
        )
    except RequestError as error:
        return _page(visit, type_, given, error=told(error), status=422)
    return see("/schedules", notice="added")


def _read(type_: ExportType, form: Form) -> Given:
    common = order.read(type_, form)
    return Given(
        subject=common.subject,
        title=common.title,
        expiry_hours=common.expiry_hours,
        options=common.options,
        name=form.text("name"),
        cron=form.text("cron"),
        timezone=form.text("timezone"),
        recipients=common.recipients,
        missed=MissedSlots.RUN_ONCE if form.text("missed") else MissedSlots.SKIP,
    )


def _times(visit: Visit, given: Given) -> Mapping[str, object]:
    try:
        slots = steps.upcoming(
            visit.web.wall_times, cron_pattern=given.cron, timezone=given.timezone, count=TIMES, now=visit.now
        )
    except RequestError as error:
        return {"times": [], "times_error": told(error)}
    return {"times": written_times(slots, given.timezone), "times_error": ""}


def _page(
    visit: Visit,
    type_: ExportType,
    given: Given,
    *,
    seen: Mapping[str, object] | None = None,
    error: str = "",
    status: int = 200,
) -> Response:
    shown = {"times": [], "times_error": ""} | dict(seen or {})
    return visit.page(
        "schedule_form.html", place="/schedules", status=status, type=type_, given=given, error=error, **shown
    )
