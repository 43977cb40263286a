"""Between a schedule's row and the records of ``core.schedules``."""

from datetime import UTC, datetime
from typing import Any

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.schedules import MissedSlots, Schedule, ScheduleRequest
from export_pipelines.db.tables import ExportScheduleRow


def schedule_of(row: ExportScheduleRow) -> Schedule:
    """The row as other layers see it."""
    return Schedule(
        id=row.id,
        name=row.name,
        user_id=row.user_id,
        type=row.type,
        input=_sorted(row.input),
        cron_pattern=row.cron_pattern,
        timezone=row.timezone,
        delivery=_delivery_of(row),
        missed_slots=MissedSlots(row.missed_slots),
        active=row.active,
        paused_reason=row.paused_reason,
        resumed_at=_utc(row.resumed_at),
        last_run=_utc(row.last_run),
        next_run=_utc(row.next_run),
        run_count=row.run_count,
        failure_count=row.failure_count,
        created_at=row.created_at.astimezone(UTC),
        updated_at=row.updated_at.astimezone(UTC),
    )


def row_of(request: ScheduleRequest, *, next_run: datetime, now: datetime) -> ExportScheduleRow:
    """A new, active row."""
    return ExportScheduleRow(
        user_id=request.user_id, **columns_of(request), next_run=next_run, created_at=now, updated_at=now
    )


def columns_of(request: ScheduleRequest) -> dict[str, Any]:
    """What the request says, by column; whose it is aside."""
    delivery = request.delivery or DeliveryRequest(recipients=())
    return {
        "name": request.name,
        "type": request.type,
        "input": dict(request.input),
        "cron_pattern": request.cron_pattern,
        "timezone": request.timezone,
        "recipients": list(delivery.recipients),
        "include_download_link": delivery.include_download_link,
        "attach_file": delivery.attach_file,
        "missed_slots": request.missed_slots,
    }


def _sorted(stated: dict[str, Any]) -> dict[str, Any]:
    """The options in order, for JSONB keeps keys in one of its own; what plain SQL wrote instead is left to others."""
    options = stated.get("options")
    return {**stated, "options": dict(sorted(options.items()))} if isinstance(options, dict) else stated


def _delivery_of(row: ExportScheduleRow) -> DeliveryRequest | None:
    if not row.recipients:
        return None
    return DeliveryRequest(
        recipients=tuple(row.recipients),
        include_download_link=row.include_download_link,
        attach_file=row.attach_file,
    )


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)
