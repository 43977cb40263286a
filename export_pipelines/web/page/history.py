"""The history: the visitor's own exports, the newest first, and one row of it alone."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response

from export_pipelines.core.cursors import cursor_of, read_cursor
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.jobs import JobFilter, JobPage
from export_pipelines.steps import access
from export_pipelines.web.page.jobs_shown import STATUS_WORDS, ShownJob, by_day
from export_pipelines.web.page.offers import offered
from export_pipelines.web.page.visits import Visit, VisitOf, no_such_export

PER_PAGE = 25
_LONGEST_TEXT = 200

routes = APIRouter(include_in_schema=False)


@routes.get("/")
def show(
    visit: VisitOf,
    q: Annotated[str, Query()] = "",
    status: str = "",
    type: str = "",  # noqa: A002 - the column's own name
    after: str = "",
) -> Response:
    """A page of the history, narrowed down by what the address says."""
    wanted = {"q": q.strip().replace("\x00", "")[:_LONGEST_TEXT], "status": status, "type": type}
    given = {name: value for name, value in wanted.items() if value}
    try:
        page = _page(visit, wanted, after)
    except ValidationError:
        # Somebody changed the address: the newest of all is the answer that helps.
        page, given, wanted, after = _page(visit, {}, ""), {}, dict.fromkeys(wanted, ""), ""
    shown = tuple(show_job(visit, job) for job in page.jobs)
    older = "?" + urlencode({**given, "after": cursor_of(page.next)}) if page.next else ""
    return visit.page(
        "history.html",
        place="/",
        days=by_day(shown),
        query=wanted,
        filtered=bool(given),
        paged=bool(after),
        older=older,
        newest="?" + urlencode(given) if given else "",
        statuses=[(str(status), word) for status, word in STATUS_WORDS.items()],
        types=offered(visit),
        error="",
    )


@routes.get("/exports/{job_id}/row")
def row(visit: VisitOf, job_id: str) -> Response:
    """One row anew, for the script that follows it."""
    try:
        job = access.readable(visit.services, visit.caller, job_id)
    except NotFoundError:
        raise no_such_export() from None
    return visit.fragment("_job.html", shown=show_job(visit, job))


def show_job(visit: Visit, job: ExportJob) -> ShownJob:
    """The job as this visitor sees it."""
    return ShownJob(
        job=job, now=visit.now, place=_place(visit, job), manageable=access.manages(visit.caller, job)
    )  # fmt: skip


def _page(visit: Visit, wanted: dict[str, str], after: str) -> JobPage:
    status = wanted.get("status")
    if status and status not in JobStatus.__members__:
        raise ValidationError(f"{status!r} is no status.")
    filter_ = JobFilter(
        user_id=visit.caller.user.id,
        statuses=(JobStatus(status),) if status else (),
        type=wanted.get("type") or None,
        text=wanted.get("q", ""),
    )
    position = read_cursor(after) if after else None
    return jobs.page(visit.services.database, filter_, after=position, limit=PER_PAGE, now=visit.now)


def _place(visit: Visit, job: ExportJob) -> int | None:
    if not job.waits:
        return None
    place = jobs.place_of(visit.services.database, job.id, limits=limits_of(visit.services), now=visit.now)
    return None if place is None else place.position
