"""What somebody who watches a job asks, and what they get to see."""

from dataclasses import dataclass, field
from datetime import datetime

from export_pipelines.core.jobs import UNFINISHED, JobStatus
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
class JobNow:
    """How a job comes along: the few columns of its row that change while it does. Times are aware and UTC."""

    id: str
    status: JobStatus
    attempt: int
    progress_percent: int
    phase: str | None
    rows_done: int
    rows_total: int | None
    bytes_done: int
    bytes_per_second: float | None
    estimated_finish_at: datetime | None
    error: str | None
    updated_at: datetime

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it by itself, expiry aside."""
        return self.status not in UNFINISHED


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
