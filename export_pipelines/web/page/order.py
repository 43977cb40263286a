"""The form for a new export: choose a type, then what it is of; see what to expect; start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import Response

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.core.errors import RequestError, TooManyRequestsError, ValidationError
from export_pipelines.steps.create import create
from export_pipelines.steps.expect import expect
from export_pipelines.steps.orders import Of, Terms, Told, build_order
from export_pipelines.steps.submit import Order
from export_pipelines.web.page import choices
from export_pipelines.web.page.forms import Form, FormOf
from export_pipelines.web.page.offered import groups, offered_type
from export_pipelines.web.page.visits import FRAGMENT, SenderOf, Visit, VisitOf, dated, see, told

_OPTION = "option."
_WAIT_SECONDS = 5
"""For room among the previews that are made at once."""
_BUSY = "Many previews are being made just now. Try again in some seconds."

routes = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the form is filled in with.

    Attributes:
        q: what is searched for.
        expiry_hours, recipients: as they were typed.
    """

    q: str = ""
    subject: str = ""
    title: str = ""
    expiry_hours: str = "24"
    recipients: str = ""
    options: Mapping[str, bool | str]


@routes.get("/exports/new")
def types(visit: VisitOf) -> Response:
    """What there is to choose from."""
    return visit.page("types.html", place="/", groups=groups(visit), carried="")


@routes.get("/exports/new/{name}")
def form(visit: VisitOf, name: str, q: str = "", subject: str = "") -> Response:
    """The form of one type, with its defaults."""
    type_ = offered_type(visit, name)
    options = {option.name: option.default for option in type_.options}
    return _page(visit, type_, Given(q=q, subject=subject, options=options))


@routes.post("/exports/new/{name}")
def sent(request: Request, visit: SenderOf, name: str, form: FormOf, later: BackgroundTasks) -> Response:
    """The form with one of its buttons pressed: search, preview or start."""
    type_ = offered_type(visit, name)
    given = read(type_, form)
    action = form.text("action")
    if action == "start":
        return _start(visit, type_, given, later)
    seen: Mapping[str, object] = {}
    if action == "preview":
        seen = _preview(visit, type_, given)
        if FRAGMENT in request.headers:
            return visit.fragment("_preview.html", **seen)
    return _page(visit, type_, given, seen=seen)


def read(type_: ExportType, form: Form) -> Given:
    """What was filled in; of switches a browser sends only those that are on."""
    options: dict[str, bool | str] = {}
    for option in type_.options:
        value = form.text(_OPTION + option.name)
        options[option.name] = value if option.choices else value == "true"
    return Given(
        q=form.text("q"),
        subject=form.text("subject"),
        title=form.text("title"),
        expiry_hours=form.text("expiry_hours", "24"),
        recipients=form.text("recipients"),
        options=options,
    )


def order_of(visit: Visit, type_: ExportType, given: Given) -> Order:
    """The order that the form is, for whoever filled it in.

    Raises:
        ValidationError: something is missing or malformed.
    """
    if not given.subject and type_.subject is not Subject.AUDIT_LOG:
        noun = str(type_.subject)
        raise ValidationError(f"No {noun} is chosen yet. Choose one in the list, then try again.")
    if not given.expiry_hours.isdecimal() or len(given.expiry_hours) > 3:
        raise ValidationError("“Hours to keep it” takes a whole number from 1 to 168.")
    terms = Terms(options=given.options, expiry_hours=int(given.expiry_hours), title=given.title)
    of = Of(**{type_.subject_field: given.subject or None})
    recipients = [part.strip() for part in given.recipients.split(",") if part.strip()]
    return build_order(
        type_.name, user=visit.caller.user.id, of=of, terms=terms, told=Told(recipients=recipients)
    )  # fmt: skip


def _start(visit: Visit, type_: ExportType, given: Given, later: BackgroundTasks) -> Response:
    try:
        made = create(visit.services, visit.caller, order_of(visit, type_, given))
    except RequestError as error:
        status = 429 if isinstance(error, TooManyRequestsError) else 422
        return dated(_page(visit, type_, given, error=told(error), status=status), error)
    later.add_task(visit.web.dagster.launch, visit.services)
    return see(f"/exports/{made.job.id}", notice="started")


def _preview(visit: Visit, type_: ExportType, given: Given) -> Mapping[str, object]:
    if not visit.web.previews.acquire(timeout=_WAIT_SECONDS):
        return {"preview": None, "sample": None, "preview_error": _BUSY}
    try:
        expected = expect(visit.services, visit.caller, order_of(visit, type_, given))
    except RequestError as error:
        return {"preview": None, "sample": None, "preview_error": told(error)}
    finally:
        visit.web.previews.release()
    return {"preview": expected.estimate, "sample": expected.sample, "preview_error": ""}


def _page(
    visit: Visit,
    type_: ExportType,
    given: Given,
    *,
    seen: Mapping[str, object] | None = None,
    error: str = "",
    status: int = 200,
) -> Response:
    found = choices.Choices(found=(), more=False)
    if type_.subject in (Subject.RUN, Subject.DEFINITION):
        found = choices.find(visit.services.database, type_.subject, given.q, chosen=given.subject)
    last_day = visit.now.astimezone(UTC).date() - timedelta(days=1)
    shown = {"preview": None, "sample": None, "preview_error": ""} | dict(seen or {})
    return visit.page(
        "form.html",
        place="/",
        status=status,
        type=type_,
        given=given,
        choices=found.found,
        more_choices=found.more,
        last_day=last_day.isoformat(),
        error=error,
        **shown,
    )
