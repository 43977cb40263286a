"""The export job: its states, the record of its row, and the request that made it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from export_pipelines.core.deliveries import DeliveryRequest


class JobStatus(enum.StrEnum):
    """Where a job stands; :data:`TRANSITIONS` says what may follow."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.PROCESSING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.PROCESSING: frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.COMPLETED: frozenset({JobStatus.EXPIRED}),
    # A failed job is taken up again by a retry, so that finished shards are not made twice.
    JobStatus.FAILED: frozenset({JobStatus.PROCESSING}),
    JobStatus.EXPIRED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}
"""Every change of status that the database accepts. PENDING to FAILED is for a request that proves invalid."""

UNFINISHED = (JobStatus.PENDING, JobStatus.PROCESSING)


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What somebody asked for, validated.

    Attributes:
        type: a name in the catalog, like ``BULK_CSV``.
        subject_id: id of the definition or run that is exported, whichever the type needs.
        user_id: who asked.
        expiry_hours: 1 to 168; how long the file is kept after completion.
        options: the type's own options, defaults filled in, sorted by name.
        title: what people see in lists.
        delivery: who is told when the job has ended; None when nobody is.
    """

    type: str
    subject_id: str
    user_id: str
    expiry_hours: int = 24
    options: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    delivery: DeliveryRequest | None = None


@dataclass(frozen=True, kw_only=True)
class JobNow:
    """How a job comes along: the few columns of its row that change while it does. Times are aware and UTC.

    Attributes:
        phase: what was last being done, like ``freezing rows`` or ``packaging``.
        rows_done, rows_total: rows of the export, through that phase; packaging and publishing count bytes only.
        bytes_done: bytes through that phase; of a completed job, the file's.
        bytes_per_second, estimated_finish_at: while the job is being processed.
    """

    id: str
    status: JobStatus
    attempt: int
    progress_percent: int
    phase: str | None = None
    rows_done: int = 0
    rows_total: int | None = None
    bytes_done: int = 0
    bytes_per_second: float | None = None
    estimated_finish_at: datetime | None = None
    error: str | None = None
    updated_at: datetime

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it by itself, expiry aside."""
        return self.status not in UNFINISHED


@dataclass(frozen=True, kw_only=True)
class ExportJob(JobNow):
    """One row of ``exports.export_jobs``, field by column. Times are aware and UTC.

    Attributes:
        launch: which run of the queue works, or shall work, on it: 1, and one more each time a worker was lost.
        launch_after: a lost worker's job is not launched again before; None of a PROCESSING job whose run has begun.
        claimed_at, claimed_by: when, and by whom, that run was promised; None while the job waits in the queue.
        size_hint: rows it will come to, roughly.
        admitted_at: when the request was found right; None before the queue has looked at a row made by plain SQL.
    """

    user_id: str
    type: str
    input: Mapping[str, Any]
    title: str
    download_count: int
    created_at: datetime
    fidelity: tuple[Mapping[str, Any], ...] = ()
    output_path: str | None = None
    output_url: str | None = None
    output_size_bytes: int | None = None
    record_count: int | None = None
    checksum: str | None = None
    expires_at: datetime | None = None
    dagster_run_id: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    launch: int = 1
    launch_after: datetime | None = None
    claimed_at: datetime | None = None
    claimed_by: str | None = None
    size_hint: int | None = None
    admitted_at: datetime | None = None

    @property
    def run_key(self) -> str:
        """The name of the one Dagster run that this launch of the job may have."""
        return f"{self.id}-{self.launch}"

    @property
    def waits(self) -> bool:
        """Whether its next run has not begun yet."""
        resumed = self.status is JobStatus.PROCESSING and self.launch_after is not None
        return self.status is JobStatus.PENDING or resumed


@dataclass(frozen=True, kw_only=True)
class JobRef:
    """The job and attempt a piece of work belongs to; what fences every write.

    Attributes:
        type: the export type's name.
        user_id: the owner, part of the final key.
        attempt: 1 for the first; staging is kept apart by it.
    """

    job_id: str
    attempt: int
    type: str
    user_id: str

    @property
    def staging_prefix(self) -> str:
        """Where this attempt, and nobody else, may write while it works."""
        return f"staging/{self.job_id}/{self.attempt}"

    @property
    def final_prefix(self) -> str:
        """The folder of the published file and its manifest."""
        return f"exports/{self.user_id}/{self.job_id}"
