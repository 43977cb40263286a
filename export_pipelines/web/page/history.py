"""The history: the visitor's own exports, for administrators everybody's too, the newest first; and one row of it."""

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from export_pipelines.core.errors import NotFoundError, RequestError
from export_pipelines.core.jobs import UNFINISHED, ExportJob, JobStatus
from export_pipelines.db import events
from export_pipelines.db.evaluation import users
from export_pipelines.steps import access
from export_pipelines.steps.job_lists import Listed, Wanted, list_jobs
from export_pipelines.steps.queue import places_of
from export_pipelines.web import log_lines
from export_pipelines.web.page.jobs_shown import STATUS_WORDS, ShownJob, by_day
from export_pipelines.web.page.offered import offered
from export_pipelines.web.page.visits import Visit, VisitOf, no_such_export

PER_PAGE = 25
_LONGEST_TEXT = 200
_LISTS = ("shared", "all")
"""Other lists than that of one's own, as an address names them."""

routes = APIRouter(include_in_schema=False)


@routes.get("/")
def show(
    visit: VisitOf,
    q: str = "",
    status: str = "",
    type: str = "",  # noqa: A002 - the column's own name
    shared: str = "",
    all: str = "",  # noqa: A002 - as the API calls it
    cursor: str = "",
) -> Response:
    """A page of the history, of what others share with the visitor, or of everybody's exports, narrowed down."""
    text = q.strip().replace("\x00", "")[:_LONGEST_TEXT]
    everybodys = bool(all) and not shared and visit.caller.is_administrator
    lists = {"shared": "yes" if shared else "", "all": "yes" if everybodys else ""}
    wanted = {"q": text, "status": status, "type": type, **lists}
    try:
        listed = _listed(visit, wanted, cursor)
    except RequestError:
        # Somebody changed the address: the newest of all is the answer that helps.
        wanted, cursor = {**dict.fromkeys(wanted, ""), **lists}, ""
        listed = _listed(visit, wanted, cursor)
    given = {name: value for name, value in wanted.items() if value}
    older = "?" + urlencode({**given, "cursor": listed.next_cursor}) if listed.next_cursor else ""
    return visit.page(
        "history.html",
        place="/",
        days=by_day(show_jobs(visit, listed.jobs, owned=everybodys)),
        query=wanted,
        home="/" + "".join(f"?{name}=yes" for name in _LISTS if wanted[name]),
        everybodys=everybodys,
        administrator=visit.caller.is_administrator,
        filtered=any(given.keys() - set(_LISTS)),
        paged=bool(cursor),
        older=older,
        newest="?" + urlencode(given) if given else "",
        statuses=[(str(status), word) for status, word in STATUS_WORDS.items()],
        types=offered(visit),
    )


@routes.get("/exports/{job_id}/row")
def row(visit: VisitOf, job_id: str, all: str = "") -> Response:  # noqa: A002 - as the API calls it
    """One row anew, of the visitor's own list or of everybody's, for the script that follows it."""
    [found] = show_jobs(visit, (readable(visit, job_id),), owned=bool(all) and visit.caller.is_administrator)
    return visit.fragment("_job.html", shown=found)


def readable(visit: Visit, job_id: str) -> ExportJob:
    """The job, for those who may see it.

    Raises:
        ProblemError: 404 for all others.
    """
    try:
        job = access.readable(visit.services, visit.caller, job_id)
    except NotFoundError:
        raise no_such_export() from None
    log_lines.is_about_job(job)
    return job


def show_job(visit: Visit, job: ExportJob) -> ShownJob:
    """The job as this visitor sees it."""
    [found] = show_jobs(visit, (job,))
    return found


def show_jobs(visit: Visit, found: Sequence[ExportJob], *, owned: bool = False) -> tuple[ShownJob, ...]:
    """The same for many, with one look at the queue; with whose they are, where they are ``owned`` by several."""
    places = places_of(visit.services, found)
    owners = users.emails_of(visit.services.database, (job.user_id for job in found)) if owned else {}
    return tuple(
        ShownJob(
            job=job,
            now=visit.now,
            place=places[job.id].position if job.id in places else None,
            manageable=access.manages(visit.caller, job),
            last_event=_last_event(visit, job),
            owner=owners.get(job.user_id, job.user_id) if owned else "",
        )
        for job in found
    )


def _last_event(visit: Visit, job: ExportJob) -> int:
    """Where a script that follows the job has to begin; nobody follows one that is over."""
    event = events.last_event(visit.services.database, job.id) if job.status in UNFINISHED else None
    return 0 if event is None else event.id


def _listed(visit: Visit, wanted: dict[str, str], cursor: str) -> Listed:
    status = wanted["status"]
    known = (JobStatus(status),) if status in JobStatus.__members__ else ()
    chosen = Wanted(
        statuses=known,
        type=wanted["type"] or None,
        text=wanted["q"],
        shared=bool(wanted["shared"]),
        everybody=bool(wanted["all"]),
        cursor=cursor or None,
        limit=PER_PAGE,
    )
    return list_jobs(visit.services, visit.caller, chosen)
