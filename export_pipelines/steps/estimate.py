"""Estimate: what an export will come to, before it is begun; cheap enough to be asked with every request."""

from dataclasses import dataclass
from statistics import median

from export_pipelines.catalog.export_type import ExportType, Streamed
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.sources.sizes import size_of
from export_pipelines.steps.services import Services

BEGINNING_SECONDS = 2.0
"""What every export takes, however small."""

_LOOKED_AT = 20
"""Exports of the same type, the latest, whose pace is looked at."""
_TELLING_ROWS = 1000
"""A smaller export tells how long beginning takes, and nothing of its pace."""
_STREAMED_PACE, _RENDERED_PACE = 40e6, 15e6
"""Bytes of rows a second, for a type that has no larger export behind it: on two slow cores, so rather too long."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What to expect.

    Attributes:
        rows: rows that will be read.
        bytes: of these rows, which is about the size of an uncompressed file of them.
        seconds: from beginning to end, on a machine that does nothing else.
        counted: whether the rows were counted; else the database was too busy, and all figures are guesses.
    """

    rows: int
    bytes: int
    seconds: float
    counted: bool


def estimate(services: Services, type_: ExportType, subject_id: str) -> Estimate:
    """What an export of the subject will come to; nothing for a subject that does not exist.

    Raises:
        DatabaseUnavailableError: the database is away, or tells nothing within seconds.
    """
    size = size_of(services.database, type_.sizing, subject_id)
    seconds_a_row = _pace(services, type_)
    usual = size.bytes / (_STREAMED_PACE if type_.streamed is Streamed.ALWAYS else _RENDERED_PACE)
    working = usual if seconds_a_row is None else size.rows * seconds_a_row
    return Estimate(
        rows=size.rows, bytes=size.bytes, seconds=round(BEGINNING_SECONDS + working, 1), counted=size.counted
    )


def shards_of(services: Services, expected: Estimate) -> int:
    """How many shards the rows will make."""
    return max(1, -(-expected.bytes // services.settings.shard_bytes))


def _pace(services: Services, type_: ExportType) -> float | None:
    """Seconds a row, as the latest larger exports of the type took on this deployment; None when there is none."""
    done = jobs.list_jobs(services.database, status=JobStatus.COMPLETED, type=type_.name, limit=_LOOKED_AT)
    paces = [_seconds_a_row(job) for job in done if (job.record_count or 0) >= _TELLING_ROWS and job.attempt == 1]
    return median(paces) if paces else None


def _seconds_a_row(job: ExportJob) -> float:
    took = (job.completed_at - job.started_at).total_seconds() if job.completed_at and job.started_at else 0.0
    return max(0.0, took - BEGINNING_SECONDS) / (job.record_count or 1)
