"""Lists of jobs as callers may see them: their own, those shared with them, and for administrators anybody's."""

from dataclasses import dataclass
from datetime import datetime

from export_pipelines.catalog.types import export_type
from export_pipelines.core.cursors import cursor_of, read_cursor
from export_pipelines.core.errors import ForbiddenError, ValidationError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.evaluation import lookup
from export_pipelines.db.jobs import JobFilter
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.services import Services

MOST = 100


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody wants listed; what is None or empty narrows nothing down.

    Attributes:
        text: what title or id hold, in any case.
        since, until: made at or after the one, and before the other.
        user: e-mail address or id of whose jobs; None for one's own.
        everybody: all jobs there are.
        shared: not one's own, but what is shared with one.
        cursor: of the page before.
    """

    statuses: tuple[JobStatus, ...] = ()
    type: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    user: str | None = None
    everybody: bool = False
    shared: bool = False
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A page of jobs, the newest first, and the cursor of the next; None behind the last."""

    jobs: tuple[ExportJob, ...]
    next_cursor: str | None


def list_jobs(services: Services, caller: Caller, wanted: Wanted) -> Listed:
    """The page.

    Raises:
        ForbiddenError: other people's jobs are for administrators.
        NotFoundError: there is no such user.
        ValidationError: the cursor, the type or the limit cannot be used, or the filters exclude each other.
    """
    if not 1 <= wanted.limit <= MOST:
        raise ValidationError(f"limit is {wanted.limit}, but must be 1 to {MOST}.")
    user_id, shared_with = _whose(services, caller, wanted)
    found = jobs.page(
        services.database,
        JobFilter(
            user_id=user_id,
            shared_with=shared_with,
            statuses=wanted.statuses,
            type=None if wanted.type is None else export_type(wanted.type).name,
            text=wanted.text.strip(),
            since=wanted.since,
            until=wanted.until,
        ),
        after=None if wanted.cursor is None else read_cursor(wanted.cursor),
        limit=wanted.limit,
        now=services.clock(),
    )
    return Listed(jobs=found.jobs, next_cursor=None if found.next is None else cursor_of(found.next))


def _whose(services: Services, caller: Caller, wanted: Wanted) -> tuple[str | None, str | None]:
    """Id of the owner, and of whom the jobs are shared with."""
    if [wanted.user is not None, wanted.everybody, wanted.shared].count(True) > 1:
        raise ValidationError("user, all and shared exclude each other; give one of them.")
    if wanted.shared:
        return None, caller.user.id
    if wanted.user is None and not wanted.everybody:
        return caller.user.id, None
    if not caller.is_administrator:
        raise ForbiddenError("lists of other people's exports are for administrators; leave user and all out.")
    return (None if wanted.user is None else lookup.find_user(services.database, wanted.user).id), None
