"""Exports as answers show them."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db.jobs import Place, WaitsFor
from export_pipelines.steps.estimate import Estimate
from export_pipelines.steps.queue import places_of
from export_pipelines.steps.services import Services
from export_pipelines.web.api.bodies import Answer, Moment
from export_pipelines.web.watching.shapes import Standing


class Loss(Answer):
    """Something that the file could not keep exactly."""

    kind: str
    where: str
    detail: str
    count: int = 1
    examples: list[str] = Field(default=[], description="Ids of the first rows concerned.")


class DownloadPart(Answer):
    """That there is a file; a GET of `href` gives a link to it."""

    filename: str
    size: int | None
    checksum: str | None = Field(description="SHA-256 of the file, in hex.")
    expires_at: Moment
    href: str


class EstimateAnswer(Answer):
    """What an export will come to."""

    rows: int
    bytes: int = Field(description="Of the rows, which is about the size of an uncompressed file of them.")
    seconds: float = Field(description="From beginning to end, without the time in the queue.")
    counted: bool = Field(description="False when the database was too busy to count, and all figures are guesses.")


EXAMPLE: dict[str, Any] = {
    "id": "c0mwxrm6ue86fz4zh1bfceesu",
    "user_id": "c4mmvt69yvfyh54nttnyuatal",
    "type": "BULK_CSV",
    "status": "PENDING",
    "title": "Transcripts (CSV): Courtyard, many languages, April",
    "input": {
        "subject_id": "c4yyvpdcu2ohltd2j2wix57oa",
        "expiry_hours": 24,
        "options": {"allow_partial": False, "compression": "none", "profile": "flat", "strict": False},
    },
    "attempt": 1,
    "progress_percent": 0,
    "phase": None,
    "rows_done": 0,
    "rows_total": None,
    "bytes_done": 0,
    "bytes_per_second": None,
    "estimated_finish_at": None,
    "output_size_bytes": None,
    "record_count": None,
    "checksum": None,
    "fidelity": [],
    "error": None,
    "download_count": 0,
    "created_at": "2026-03-01T12:00:00.000Z",
    "started_at": None,
    "completed_at": None,
    "expires_at": None,
    "updated_at": "2026-03-01T12:00:00.000Z",
    "dagster_run_id": None,
    "launch": 1,
    "launch_after": None,
    "claimed_at": None,
    "claimed_by": None,
    "size_hint": 93,
    "queue_position": 1,
    "queue_waits_for": "launch",
    "download": None,
}


class ExportAnswer(Standing):
    """One export: its row, its place in the queue while it waits, and whether there is a file."""

    user_id: str
    type: str
    title: str
    input: dict[str, Any] = Field(description="`subject_id`, `expiry_hours`, `options` and `delivery` as asked for.")
    output_size_bytes: int | None
    record_count: int | None
    checksum: str | None = Field(description="SHA-256 of the file, in hex.")
    fidelity: list[Loss] = Field(description="What the file could not keep exactly.")
    download_count: int
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    expires_at: Moment | None
    dagster_run_id: str | None
    launch: int
    launch_after: Moment | None
    claimed_at: Moment | None
    claimed_by: str | None
    size_hint: int | None
    queue_position: int | None = Field(description="1 is launched next; null when it does not wait in the queue.")
    queue_waits_for: WaitsFor | None = Field(
        description="`launch`: its turn has come; `room`: as many exports run as may; `own_jobs`: as many of its "
        "user's run as may; `its_time`: it pauses because a worker of its was lost."
    )
    download: DownloadPart | None

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})


class ExportPage(Answer):
    """Exports, the newest first."""

    items: list[ExportAnswer]
    next_cursor: str | None = Field(description="Send it as `cursor` for what comes next; null behind the last page.")


class CreatedAnswer(ExportAnswer):
    """The export that was made, or taken up again."""

    estimate: EstimateAnswer | None = Field(description="Null when the database was too busy to tell.")
    retry_of: str | None = Field(description="The export whose request this is once more.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **EXAMPLE,
                    "estimate": {"rows": 93, "bytes": 35430, "seconds": 2.1, "counted": True},
                    "retry_of": None,
                }
            ]
        }
    )


def show_all(services: Services, found: Iterable[ExportJob]) -> Iterator[ExportAnswer]:
    """The exports with their places in the queue, which one look at it tells."""
    listed = tuple(found)
    places, now = places_of(services, listed), services.clock()
    for job in listed:
        yield ExportAnswer(**fields_of(job, places.get(job.id), now=now))


def show_created(
    job: ExportJob, place: Place | None, *, estimate: Estimate | None, retry_of: str | None, now: datetime
) -> CreatedAnswer:
    """What a creating request is answered."""
    size = None if estimate is None else EstimateAnswer(**asdict(estimate))
    return CreatedAnswer(**fields_of(job, place, now=now), estimate=size, retry_of=retry_of)


def fields_of(job: ExportJob, place: Place | None, *, now: datetime) -> dict[str, Any]:
    """The answer's fields; not where the file lies, nor a link to it."""
    row = {name: value for name, value in asdict(job).items() if name not in ("output_path", "output_url")}
    return {
        **row,
        "queue_position": None if place is None else place.position,
        "queue_waits_for": None if place is None else place.waits_for,
        "download": _download(job, now=now),
    }


def _download(job: ExportJob, *, now: datetime) -> DownloadPart | None:
    if job.status is not JobStatus.COMPLETED or not job.output_path or job.expires_at is None or job.expires_at <= now:
        return None
    return DownloadPart(
        filename=job.output_path.rpartition("/")[2],
        size=job.output_size_bytes,
        checksum=job.checksum,
        expires_at=job.expires_at,
        href=f"/api/exports/{job.id}/download",
    )
