"""How a job that is watched looks in JSON: for pollers, and in the data of events."""

from dataclasses import replace
from typing import Any

import orjson
from pydantic import ConfigDict, Field, JsonValue

from export_pipelines.core.jobs import JobNow, JobStatus
from export_pipelines.db.events import Event
from export_pipelines.db.jobs import Place
from export_pipelines.web.api.bodies import Answer, Moment, shown

_EXAMPLE: dict[str, JsonValue] = {
    "id": "c0mwxr8d3p4kzv1q7t9y2b6n5",
    "status": "PROCESSING",
    "attempt": 1,
    "progress_percent": 62,
    "phase": "rendering",
    "rows_done": 46_500,
    "rows_total": 93_000,
    "bytes_done": 240_123_904,
    "bytes_per_second": 31_457_280.0,
    "estimated_finish_at": "2026-03-01T12:00:12.500Z",
    "error": None,
    "updated_at": "2026-03-01T12:00:04.250Z",
}


class Standing(Answer):
    """How an export comes along."""

    id: str
    status: JobStatus
    attempt: int = Field(description="1 for the first try; a retry counts on.")
    progress_percent: int = Field(description="Never falls within an attempt; 100 when the file is there.")
    phase: str | None = Field(description="What is being done, like `rendering`.")
    rows_done: int
    rows_total: int | None
    bytes_done: int = Field(description="Bytes through the phase; of a completed export, the file's.")
    bytes_per_second: float | None
    estimated_finish_at: Moment | None
    error: str | None = Field(description="Why it failed; null otherwise.")
    updated_at: Moment

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


def standing(job: JobNow) -> dict[str, Any]:
    """The fields of :class:`Standing`; by hand, for they are made a thousand times a second."""
    finish = job.estimated_finish_at
    return {
        "id": job.id,
        "status": job.status.value,
        "attempt": job.attempt,
        "progress_percent": job.progress_percent,
        "phase": job.phase,
        "rows_done": job.rows_done,
        "rows_total": job.rows_total,
        "bytes_done": job.bytes_done,
        "bytes_per_second": job.bytes_per_second,
        "estimated_finish_at": None if finish is None else shown(finish),
        "error": job.error,
        "updated_at": shown(job.updated_at),
    }


_PAST: dict[str, Any] = {"phase": None, "bytes_per_second": None, "estimated_finish_at": None}


def told_now(job: JobNow, message: str | None, place: Place | None = None) -> dict[str, Any]:
    """The data of an event that tells how the job stands."""
    return standing(job) | {
        "message": message,
        "queue_position": None if place is None else place.position,
        "queue_waits_for": None if place is None else place.waits_for.value,
    }


def moment_of(event: Event, job: JobNow, *, newest: bool) -> dict[str, Any]:
    """The data of an event that was written down while the job was being worked on; its figures are its own.

    Phase, rate and estimate are the row's, which the newest event tells of; what is past has none.
    """
    then = job if newest else replace(job, status=JobStatus.PROCESSING, error=None, **_PAST)
    return told_now(then, event.message) | {
        "attempt": event.attempt,
        "progress_percent": event.progress_percent,
        "rows_done": event.rows_done,
        "bytes_done": event.bytes_done,
        "updated_at": shown(event.at),
    }


def as_json(document: dict[str, Any]) -> bytes:
    """The document as it goes out."""
    return orjson.dumps(document)


STREAM_EXAMPLE = (
    "retry: 2000\n\n"
    'event: progress\nid: 4711\ndata: {"id": "c0mwxr8d3p4kzv1q7t9y2b6n5", "status": "PROCESSING", '
    '"progress_percent": 62, "message": "rendering", "queue_position": null}\n\n'
    'event: end\nid: 4712\ndata: {"id": "c0mwxr8d3p4kzv1q7t9y2b6n5", "status": "COMPLETED", '
    '"progress_percent": 100, "message": "published", "queue_position": null}\n\n'
)
"""The shape of a stream; the data have all fields of :class:`Standing`."""
