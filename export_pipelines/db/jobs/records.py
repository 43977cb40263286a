"""Between a job's row and the records of ``core.jobs``."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ContentError
from export_pipelines.core.jobs import ExportJob, ExportRequest, JobRef
from export_pipelines.db.tables import ExportJobRow


def job_of(row: ExportJobRow) -> ExportJob:
    """The row as other layers see it."""
    return ExportJob(
        id=row.id,
        user_id=row.user_id,
        type=row.type,
        status=row.status,
        input=row.input,
        title=row.title,
        attempt=row.attempt,
        progress_percent=row.progress_percent,
        download_count=row.download_count,
        created_at=row.created_at.astimezone(UTC),
        updated_at=row.updated_at.astimezone(UTC),
        fidelity=tuple(row.fidelity),
        output_path=row.output_path,
        output_url=row.output_url,
        output_size_bytes=row.output_size_bytes,
        record_count=row.record_count,
        checksum=row.checksum,
        expires_at=_utc(row.expires_at),
        error=row.error,
        dagster_run_id=row.dagster_run_id,
        started_at=_utc(row.started_at),
        completed_at=_utc(row.completed_at),
        phase=row.phase,
        rows_done=row.rows_done,
        rows_total=row.rows_total,
        bytes_done=row.bytes_done,
        bytes_per_second=row.bytes_per_second,
        estimated_finish_at=_utc(row.estimated_finish_at),
        launch=row.launch,
        launch_after=_utc(row.launch_after),
        claimed_at=_utc(row.claimed_at),
        claimed_by=row.claimed_by,
        size_hint=row.size_hint,
        admitted_at=_utc(row.admitted_at),
    )


def ref_of(job: ExportJob) -> JobRef:
    """What fences the work on the job as it is now."""
    return JobRef(job_id=job.id, attempt=job.attempt, type=job.type, user_id=job.user_id)


def input_of(request: ExportRequest) -> dict[str, Any]:
    """What ``export_jobs.input`` holds: ``subject_id`` (of the definition or run), ``expiry_hours`` and ``options``.

    Also ``delivery``, where one was asked for. Type, user and title have columns of their own.
    """
    stated = {
        "subject_id": request.subject_id,
        "expiry_hours": request.expiry_hours,
        "options": dict(request.options),
    }
    if request.delivery is None:
        return stated
    # As JSON gives it back.
    return {**stated, "delivery": {**asdict(request.delivery), "recipients": list(request.delivery.recipients)}}


def request_of(job: ExportJob) -> ExportRequest:
    """The request that made the job; equal to the one that was given to ``create``.

    Raises:
        ContentError: the row's input is not of the shape that :func:`input_of` gives it.
    """
    try:
        return ExportRequest(
            type=job.type,
            subject_id=job.input["subject_id"],
            user_id=job.user_id,
            expiry_hours=job.input["expiry_hours"],
            # JSONB keeps keys in an order of its own.
            options=dict(sorted(job.input["options"].items())),
            title=job.title,
            delivery=_delivery_of(job.input.get("delivery")),
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise ContentError(
            f"export job {job.id} has an input without subject_id, expiry_hours or options, or with a delivery "
            "that cannot be read; start a new export."
        ) from error


def _delivery_of(stated: Mapping[str, Any] | None) -> DeliveryRequest | None:
    if stated is None:
        return None
    return DeliveryRequest(**{**stated, "recipients": tuple(stated["recipients"])})


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)
