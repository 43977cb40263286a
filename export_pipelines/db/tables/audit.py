"""The audit log: who did what to which export, and when."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables.base import EXPORTS, Base

ACTIONS = (
    "created",
    "started",
    "completed",
    "downloaded",
    "failed",
    "expired",
    "cancelled",
    "deleted",
    "shared",
)
_LISTED = ", ".join(f"'{action}'" for action in ACTIONS)


class AuditLog(Base):
    """One event.

    No foreign key to job or user: the log outlives both. The key is a sequence, not a text id, because events of one
    moment must keep their order.
    """

    __tablename__ = "export_audit_logs"
    __table_args__ = (
        CheckConstraint(f"action IN ({_LISTED})", name="known_action"),
        CheckConstraint("jsonb_typeof(additional_data) = 'object'", name="data_is_object"),
        # The days that usage is counted by.
        Index(
            "ix_export_audit_logs_ended_on",
            text("((at AT TIME ZONE 'UTC')::date)"),
            postgresql_where=text("action IN ('completed', 'failed')"),
        ),
        {"schema": EXPORTS},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    job_id: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    user_id: Mapped[str | None]
    address: Mapped[str | None]
    user_agent: Mapped[str | None]
    additional_data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    at: Mapped[datetime]
