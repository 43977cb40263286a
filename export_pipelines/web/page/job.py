"""The page of one export: how it stands, its row, what the file could not keep, its events, whom it is shared with."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.errors import NotFoundError
from export_pipelines.core.evaluation import User
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.shares import Share
from export_pipelines.db import events, shares
from export_pipelines.db.evaluation import users
from export_pipelines.steps import access
from export_pipelines.web.page import shown
from export_pipelines.web.page.history import readable, show_job
from export_pipelines.web.page.subjects import called
from export_pipelines.web.page.visits import Visit, VisitOf

EVENTS_SHOWN = 30
_NO_SHARE = {"email": "", "days": "3", "message": ""}

routes = APIRouter(include_in_schema=False)


@routes.get("/exports/{job_id}")
def show(visit: VisitOf, job_id: str) -> Response:
    """The page."""
    return page_of(visit, readable(visit, job_id))


def page_of(
    visit: Visit,
    job: ExportJob,
    *,
    status: int = 200,
    error: str = "",
    share_error: str = "",
    share_given: Mapping[str, str] | None = None,
    share_link: str = "",
) -> Response:
    """The page of this job, with what went wrong when somebody wanted something of it."""
    manages = access.manages(visit.caller, job)
    anothers = visit.caller.is_administrator and job.user_id != visit.caller.user.id
    database = visit.services.database
    happened = events.list_events(database, job.id)
    given = shares.list_for_job(database, job.id) if manages else ()
    people: dict[str, User | None] = {}
    return visit.page(
        "job.html",
        place="/",
        status=status,
        shown=show_job(visit, job),
        home=_home(manages=manages, anothers=anothers),
        anothers=anothers,
        subject=called(database, job.type, _subject(job)),
        subject_id=_subject(job),
        options=_options(job),
        told=_told(job) if manages else (),
        file_name=job.output_path.rpartition("/")[2] if job.output_path else "",
        owner=_called(_user(visit, job.user_id, people), job.user_id),
        events=happened[::-1][:EVENTS_SHOWN],
        more_events=len(happened) > EVENTS_SHOWN,
        sharing=manages,
        shares=[_shown_share(visit, share, people) for share in given],
        error=error,
        share_error=share_error,
        share_given=share_given or _NO_SHARE,
        share_link=share_link,
    )


def _home(*, manages: bool, anothers: bool) -> tuple[str, str]:
    """Where the visitor's list with this export is, and what it is called."""
    if not manages:
        return "/?shared=yes", "Shared with you"
    return ("/?all=yes", "Everybody’s exports") if anothers else ("/", "Your exports")


def _shown_share(visit: Visit, share: Share, people: dict[str, User | None]) -> dict[str, object]:
    if share.revoked_at is not None:
        standing = f"revoked {shown.ago(share.revoked_at, visit.now)}"
    elif share.expires_at <= visit.now:
        standing = "over"
    else:
        standing = f"for {shown.until(share.expires_at, visit.now)} more"
    who = share.email or _called(_user(visit, share.user_id or "", people), share.user_id or "")
    in_force = share.revoked_at is None and share.expires_at > visit.now
    return {
        "id": share.id,
        "who": who,
        "standing": standing,
        "downloads": share.download_count,
        "in_force": in_force,
    }


def _user(visit: Visit, user_id: str, people: dict[str, User | None]) -> User | None:
    if user_id not in people:
        try:
            people[user_id] = users.get(visit.services.database, user_id)
        except NotFoundError:
            people[user_id] = None
    return people[user_id]


def _called(user: User | None, user_id: str) -> str:
    if user is None:
        return user_id
    return f"{user.name} ({user.email})" if user.name else user.email


def _subject(job: ExportJob) -> str:
    """What it is of, as its input says; plain SQL names the field as forms do."""
    known = {type_.name: type_ for type_ in EXPORT_TYPES}.get(job.type)
    named = None if known is None else job.input.get(known.subject_field)
    return str(job.input.get("subject_id") or named or "")


def _told(job: ExportJob) -> list[str]:
    """Who hears of its end; plain SQL may have written anything."""
    delivery = job.input.get("delivery")
    named = delivery.get("recipients") if isinstance(delivery, dict) else None
    return [str(recipient) for recipient in named] if isinstance(named, list) else []


def _options(job: ExportJob) -> list[tuple[str, str]]:
    """Each option by its name; none where plain SQL wrote something else."""
    given = job.input.get("options")
    return [(name, _option(value)) for name, value in sorted(given.items())] if isinstance(given, dict) else []


def _option(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
