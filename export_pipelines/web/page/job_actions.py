"""What may be done with an export: fetch it, cancel, retry or delete it, share it and take a share back.

Each is a form that comes back to a page; what could not be done is said on the page of the export.
"""

from collections.abc import Callable

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import RedirectResponse, Response

from export_pipelines.core.errors import (
    ConflictError,
    ExpiredLinkError,
    ForbiddenError,
    NotFoundError,
    RequestError,
    TooManyRequestsError,
)
from export_pipelines.core.jobs import UNFINISHED
from export_pipelines.db import shares as given
from export_pipelines.steps import shares
from export_pipelines.steps.access import manageable
from export_pipelines.steps.end import Ending, end
from export_pipelines.steps.fetching import fetch
from export_pipelines.steps.retry import retry as take_up_again
from export_pipelines.steps.shares import Wish
from export_pipelines.web.page.forms import Form, FormOf
from export_pipelines.web.page.history import readable
from export_pipelines.web.page.job import page_of
from export_pipelines.web.page.visits import SenderOf, Visit, VisitOf, dated, see, told

_STATUSES: dict[type[RequestError], int] = {
    ConflictError: 409,
    ExpiredLinkError: 410,
    ForbiddenError: 403,
    TooManyRequestsError: 429,
}

_LISTS = ("/", "/?all=yes")

routes = APIRouter(include_in_schema=False)


@routes.get("/exports/{job_id}/download")
def download(visit: VisitOf, job_id: str) -> Response:
    """To the file, by a link that is made for this download."""
    job = readable(visit, job_id)
    try:
        link = fetch(visit.services, visit.caller, job.id).url
    except RequestError as error:
        return page_of(visit, job, status=_status(error), error=told(error))
    # On the server that is asked, whatever name others know it by; and no form, so that a store may be led to.
    path = link.removeprefix(visit.services.settings.public_url)
    return RedirectResponse(path, status_code=303)


@routes.post("/exports/{job_id}/cancel")
def cancel(visit: SenderOf, job_id: str, form: FormOf, later: BackgroundTasks) -> Response:
    """Stop waiting for it, or working on it; what has come to an end meanwhile stays as it is."""

    def act() -> Response:
        if readable(visit, job_id).status not in UNFINISHED:
            raise ConflictError("It came to an end by itself meanwhile.")
        ended = end(visit.services, visit.caller, job_id)
        if ended.done is Ending.CANCELLED:
            later.add_task(visit.web.dagster.terminate, visit.services, ended.job)
        return see(_back(form, job_id), notice=str(ended.done))

    return _tried(visit, job_id, act)


@routes.post("/exports/{job_id}/delete")
def delete(visit: SenderOf, job_id: str, form: FormOf) -> Response:
    """Delete row and file of an export that is over."""

    def act() -> Response:
        if readable(visit, job_id).status in UNFINISHED:
            raise ConflictError("It is not over yet; cancel it first.")
        end(visit.services, visit.caller, job_id)
        return see(_list(form) or "/", notice="deleted")

    return _tried(visit, job_id, act)


@routes.post("/exports/{job_id}/retry")
def retry(visit: SenderOf, job_id: str, form: FormOf, later: BackgroundTasks) -> Response:
    """Have it taken up again, or made anew from the same request."""

    def act() -> Response:
        made = take_up_again(visit.services, visit.caller, job_id)
        later.add_task(visit.web.dagster.launch, visit.services)
        return see(_back(form, made.job.id), notice="retried")

    return _tried(visit, job_id, act)


@routes.post("/exports/{job_id}/share")
def share(visit: SenderOf, job_id: str, form: FormOf) -> Response:
    """Share it with an address."""
    typed = {name: form.text(name) for name in ("email", "days", "message")}
    wish = Wish(to=typed["email"], days=form.whole("days") or 0, message=typed["message"])
    try:
        job = manageable(visit.services, visit.caller, readable(visit, job_id).id)
        shared = shares.share(visit.services, job, wish, shared_by=visit.caller.user.id, actor=visit.caller.actor)
    except RequestError as error:
        job = readable(visit, job_id)
        page = page_of(visit, job, status=_status(error), share_error=told(error), share_given=typed)
        return dated(page, error)
    if shared.is_mailed:
        return see(f"/exports/{job_id}#share", notice="shared")
    return page_of(visit, job, share_link=shared.link)


@routes.post("/exports/{job_id}/share/{share_id}/revoke")
def revoke(visit: SenderOf, job_id: str, share_id: str) -> Response:
    """Take a share back."""

    def act() -> Response:
        manageable(visit.services, visit.caller, readable(visit, job_id).id)
        given.revoke(
            visit.services.database, share_id, job_id=job_id, now=visit.services.clock(), actor=visit.caller.actor
        )
        return see(f"/exports/{job_id}#share", notice="revoked")

    return _tried(visit, job_id, act)


def _tried(visit: Visit, job_id: str, act: Callable[[], Response]) -> Response:
    """What comes of it; of what could not be done, the page of the export with the reason."""
    try:
        return act()
    except RequestError as error:
        return dated(page_of(visit, readable(visit, job_id), status=_status(error), error=told(error)), error)


def _status(error: RequestError) -> int:
    fitting = (status for kind, status in _STATUSES.items() if isinstance(error, kind))
    return next(fitting, 404 if isinstance(error, NotFoundError) else 422)


def _back(form: Form, job_id: str) -> str:
    """Where the form was: in the history, or on the page of the export."""
    return _list(form) or f"/exports/{job_id}"


def _list(form: Form) -> str:
    """The list that the form was in, or that its page came from; empty for none."""
    wanted = form.text("next")
    return wanted if wanted in _LISTS else ""
