"""What somebody who watches a job asks, and what they get to see."""

from dataclasses import dataclass, field

from export_pipelines.core.jobs import JobNow
from export_pipelines.db.events import Event


@dataclass(frozen=True, kw_only=True)
class Question:
    """Who asks for which job.

    Attributes:
        key_hash, session_hash: what is stored of the API key, or of the session, that the caller showed; not both.
        after: events of the job that are newer than this one are wanted too; None for none at all.
    """

    job_id: str
    key_hash: str | None = field(default=None, repr=False)
    session_hash: str | None = field(default=None, repr=False)
    after: int | None = None


@dataclass(frozen=True, kw_only=True)
class Sight:
    """The answer to a :class:`Question`, all of it of one instant.

    Attributes:
        user_id: whose the credentials are; None when they are unknown, revoked or over.
        job: None when there is no such job, or none that this user may see.
        exists: whether there is such a job; for telling a job that was deleted from one that is hidden by now.
        waits: whether the job has a place in the queue: nobody has promised it a run yet.
        events: those that were asked for, in order, not more than :data:`~statement.MOST_EVENTS`.
        all_events: whether there were no more of them.
    """

    user_id: str | None
    job: JobNow | None
    exists: bool
    waits: bool = False
    events: tuple[Event, ...] = ()
    all_events: bool = True
