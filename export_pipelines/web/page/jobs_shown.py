"""A job as the page shows it: the word for its status, what may be done with it, how far it is."""

from dataclasses import dataclass
from datetime import date, datetime

from export_pipelines.catalog.export_type import Subject
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.web.page import shown

STATUS_WORDS = {
    JobStatus.PENDING: "Waiting",
    JobStatus.PROCESSING: "Running",
    JobStatus.COMPLETED: "Ready",
    JobStatus.FAILED: "Failed",
    JobStatus.EXPIRED: "Expired",
    JobStatus.CANCELLED: "Cancelled",
}
TYPE_TITLES = {type_.name: type_.title for type_ in EXPORT_TYPES}
_PHRASED = {type_.name for type_ in EXPORT_TYPES if type_.subject is Subject.AUDIT_LOG}
"""Types whose exports are not of something that has a name of its own."""
_NOUNS = {type_.name: type_.noun.replace("_", " ") for type_ in EXPORT_TYPES}


@dataclass(frozen=True, kw_only=True)
class ShownJob:
    """One job on one page.

    Attributes:
        now: when the page was made.
        place: in the queue, 1 for the next; None when it does not wait.
        last_event: id of the newest event that the page knows of; 0 for none.
        manageable: whether whoever looks may cancel, retry, share and delete it.
        owner: e-mail address of whose it is, in a list of everybody's; empty elsewhere.
    """

    job: ExportJob
    now: datetime
    place: int | None = None
    manageable: bool = True
    last_event: int = 0
    owner: str = ""

    @property
    def status(self) -> JobStatus:
        """The row's, but for a file whose time is over before the sweep has come."""
        job = self.job
        over = job.status is JobStatus.COMPLETED and job.expires_at is not None and job.expires_at <= self.now
        return JobStatus.EXPIRED if over else job.status

    @property
    def word(self) -> str:
        """What people call the status."""
        return STATUS_WORDS[self.status]

    @property
    def type_title(self) -> str:
        """What the catalog calls the type; the bare name of one that is not on offer any more."""
        return TYPE_TITLES.get(self.job.type, self.job.type)

    @property
    def noun(self) -> str:
        """What its records are."""
        return _NOUNS.get(self.job.type, "records")

    @property
    def name(self) -> str:
        """The title without the type, which stands beside it; a title that somebody chose stays as it is."""
        title, made_up = self.job.title, f"{self.type_title}: "
        if not title.startswith(made_up):
            return title or self.type_title
        name = title.removeprefix(made_up)
        return name[:1].upper() + name[1:] if self.job.type in _PHRASED else name or self.type_title

    @property
    def label(self) -> str:
        """What it is called where nothing stands beside it."""
        label = self.job.title or self.type_title
        return f"{label}, of {self.owner}" if self.owner else label

    @property
    def left(self) -> str:
        """How long it will go on; empty while nobody knows."""
        finish = self.job.estimated_finish_at
        if finish is None or (finish - self.now).total_seconds() < 1 or self.job.waits:
            return ""
        return f"{shown.until(finish, self.now)} left"

    @property
    def unfinished(self) -> bool:
        """Whether it waits or runs, so that the page follows it."""
        return self.status in (JobStatus.PENDING, JobStatus.PROCESSING)

    @property
    def downloadable(self) -> bool:
        """Whether there is a file."""
        return self.status is JobStatus.COMPLETED

    @property
    def cancellable(self) -> bool:
        """Whether there is something to cancel, for whoever looks."""
        return self.manageable and self.unfinished

    @property
    def retryable(self) -> bool:
        """Whether it may be made again from the same input."""
        return self.manageable and self.status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED)

    @property
    def deletable(self) -> bool:
        """Whether row and file may go."""
        return self.manageable and not self.unfinished

    @property
    def doing(self) -> str:
        """What it is at, in a few words, while it waits or runs."""
        job = self.job
        if job.waits:
            if job.status is JobStatus.PROCESSING:
                return "Its worker was lost; it goes on in a moment"
            if job.claimed_at is not None:
                return "Starting"
            return _waiting(self.place)
        return shown.words(job.phase or "starting")

    @property
    def took(self) -> str | None:
        """How long the last attempt worked."""
        job = self.job
        if job.started_at is None or job.completed_at is None:
            return None
        return shown.span((job.completed_at - job.started_at).total_seconds())


def _waiting(place: int | None) -> str:
    if place is None:
        return "In the queue"
    return "Next in the queue" if place == 1 else f"{shown.ordinal(place)} in the queue"


def by_day(jobs: tuple[ShownJob, ...]) -> list[tuple[str, list[ShownJob]]]:
    """The jobs under the days on which they were made (UTC), in the order they have."""
    days: dict[date, list[ShownJob]] = {}
    for each in jobs:
        days.setdefault(each.job.created_at.date(), []).append(each)
    return [(shown.day(day, found[0].now.date()), found) for day, found in days.items()]
