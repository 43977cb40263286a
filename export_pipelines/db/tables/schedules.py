"""Schedules, and the slots of theirs that were turned into exports."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.core.schedules import MissedSlots
from export_pipelines.db.tables import jobs, people  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import (
    EVALUATION,
    EXPORTS,
    Base,
    CreatedAt,
    Id,
    UpdatedAt,
    readable_json,
    readable_times,
    references,
)

_POLICIES = ", ".join(f"'{policy}'" for policy in MissedSlots)


class ExportScheduleRow(Base):
    """One schedule; ``core.schedules.Schedule`` is what other layers see of it.

    Attributes:
        recipients: as ``core.deliveries.DeliveryRequest`` has them; an empty list when nobody is told.
    """

    __tablename__ = "export_schedules"
    __table_args__ = (
        CheckConstraint("name ~ '[^[:space:]]' AND length(name) <= 100", name="has_name"),
        CheckConstraint("type ~ '^[A-Z][A-Z0-9_]{0,62}$'", name="type_shape"),
        CheckConstraint("jsonb_typeof(input) = 'object'", name="input_is_object"),
        CheckConstraint("cron_pattern ~ '[^[:space:]]'", name="has_pattern"),
        CheckConstraint("timezone ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$'", name="timezone_shape"),
        CheckConstraint("jsonb_typeof(recipients) = 'array'", name="recipients_is_array"),
        CheckConstraint(f"missed_slots IN ({_POLICIES})", name="known_policy"),
        CheckConstraint("active = (coalesce(paused_reason, '') = '')", name="paused_has_reason"),
        CheckConstraint("active = (next_run IS NOT NULL)", name="active_has_next_run"),
        CheckConstraint("failure_count >= 0 AND run_count >= failure_count", name="counts_in_range"),
        readable_json("input"),
        readable_json("recipients"),
        readable_times("created_at", "updated_at", "resumed_at", "last_run", "next_run"),
        UniqueConstraint("user_id", "name"),
        Index("ix_export_schedules_next_run", "next_run", postgresql_where=text("active")),
        {"schema": EXPORTS},
    )

    id: Mapped[Id]
    user_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"))
    name: Mapped[str]
    type: Mapped[str]
    input: Mapped[dict[str, Any]]
    cron_pattern: Mapped[str]
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    recipients: Mapped[list[Any]] = mapped_column(server_default="[]")
    include_download_link: Mapped[bool] = mapped_column(server_default=text("true"))
    attach_file: Mapped[bool] = mapped_column(server_default=text("false"))
    missed_slots: Mapped[str] = mapped_column(server_default="SKIP")
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    paused_reason: Mapped[str | None]
    resumed_at: Mapped[datetime | None]
    last_run: Mapped[datetime | None]
    next_run: Mapped[datetime | None]
    run_count: Mapped[int] = mapped_column(server_default="0")
    failure_count: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


_OPEN = text("outcome IS NULL OR outcome = 'FAILED'")


class ExportScheduleSlot(Base):
    """One slot that was turned into an export, for good: its key is what keeps it from giving a second one.

    Attributes:
        local_time, fold: what the clock on the wall showed, and whether for the second time.
        at: the moment of the slot; ``created_at`` is when it was turned into an export.
        job_id: NULL when the order was wrong, as ``error`` says, or the job is gone.
        outcome: how the export ended, once it has; a failed one may still be retried.
    """

    __tablename__ = "export_schedule_slots"
    __table_args__ = (
        CheckConstraint("fold IN (0, 1)", name="fold_is_bit"),
        CheckConstraint("outcome IN ('COMPLETED', 'FAILED', 'CANCELLED')", name="known_outcome"),
        CheckConstraint(
            "error IS NULL OR job_id IS NULL AND outcome IS NOT DISTINCT FROM 'FAILED'", name="wrong_order_has_no_job"
        ),
        # The newest outcomes of a schedule, and those that may still change.
        Index("ix_export_schedule_slots_schedule_id_at", "schedule_id", "at"),
        Index("ix_export_schedule_slots_open", "schedule_id", postgresql_where=_OPEN),
        {"schema": EXPORTS},
    )

    schedule_id: Mapped[str] = mapped_column(
        references(f"{EXPORTS}.export_schedules.id", on_delete="CASCADE"), primary_key=True
    )
    local_time: Mapped[datetime] = mapped_column(DateTime(timezone=False), primary_key=True)
    fold: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    at: Mapped[datetime]
    job_id: Mapped[str | None] = mapped_column(
        references(f"{EXPORTS}.export_jobs.id", on_delete="SET NULL"), unique=True
    )
    error: Mapped[str | None]
    outcome: Mapped[str | None]
    created_at: Mapped[CreatedAt]
