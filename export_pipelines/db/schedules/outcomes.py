"""How the exports of slots ended: noted on the slot and counted on the schedule, which pauses when too many failed."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from export_pipelines.core.schedules import Schedule
from export_pipelines.db.database import Database
from export_pipelines.db.schedules.changes import change, pause_in
from export_pipelines.db.tables import ExportJobRow, ExportScheduleRow, ExportScheduleSlot

FAILED = "FAILED"
FAILURES_TO_PAUSE = 5
_REASON_LENGTH = 500

# A failed job may be retried and completed yet, so slots that say FAILED are looked at again.
_SETTLE = """
UPDATE {exports}.export_schedule_slots s
SET outcome = CASE j.status WHEN 'EXPIRED' THEN 'COMPLETED' ELSE j.status::text END
FROM {exports}.export_jobs j
WHERE (s.outcome IS NULL OR s.outcome = 'FAILED') AND j.id = s.job_id
    AND j.status IN ('COMPLETED', 'EXPIRED', 'FAILED', 'CANCELLED')
    AND s.outcome IS DISTINCT FROM j.status::text
RETURNING s.schedule_id
"""


def settle(database: Database, *, now: datetime) -> tuple[Schedule, ...]:
    """Note how exports have ended since the last time; the schedules that paused themselves over it.

    All in one transaction, and counted anew from the slots: whatever is interrupted is done by the next call.
    """
    with database.transaction() as session:
        changed = sorted(set(session.scalars(text(database.sql(_SETTLE)))))
        if not changed:
            return ()
        # In one order, so that two that settle do not wait for each other.
        held = select(ExportScheduleRow.id).where(ExportScheduleRow.id.in_(changed)).order_by(ExportScheduleRow.id)
        session.execute(held.with_for_update())
        for schedule_id in changed:
            change(session, schedule_id, now=now, values={"failure_count": _failures(schedule_id)})
        paused = (pause_when_failing(session, schedule_id, now=now) for schedule_id in changed)
        return tuple(filter(None, paused))


def pause_when_failing(session: Session, schedule_id: str, *, now: datetime) -> Schedule | None:
    """Pause the schedule when its last exports have all failed since it was resumed; None when it goes on."""
    ended = ExportScheduleSlot.outcome.in_(("COMPLETED", FAILED))
    counts = or_(ExportScheduleRow.resumed_at.is_(None), ExportScheduleSlot.created_at >= ExportScheduleRow.resumed_at)
    last = session.execute(
        select(ExportScheduleSlot.outcome, func.coalesce(ExportScheduleSlot.error, ExportJobRow.error))
        .join(ExportScheduleRow, ExportScheduleRow.id == ExportScheduleSlot.schedule_id)
        .outerjoin(ExportJobRow, ExportJobRow.id == ExportScheduleSlot.job_id)
        .where(ExportScheduleSlot.schedule_id == schedule_id, ended, counts)
        .order_by(ExportScheduleSlot.at.desc())
        .limit(FAILURES_TO_PAUSE)
    ).all()
    if len(last) < FAILURES_TO_PAUSE or any(outcome != FAILED for outcome, _ in last):
        return None
    reason = f"{FAILURES_TO_PAUSE} exports in a row failed; the last: {last[0][1] or 'for an unknown reason'}"
    return pause_in(session, schedule_id, reason=reason[:_REASON_LENGTH], now=now)


def _failures(schedule_id: str) -> Any:  # noqa: ANN401 - a scalar subquery
    failed = (ExportScheduleSlot.schedule_id == schedule_id, ExportScheduleSlot.outcome == FAILED)
    return select(func.count()).select_from(ExportScheduleSlot).where(*failed).scalar_subquery()
