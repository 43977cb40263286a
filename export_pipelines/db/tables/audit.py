"""The audit log: who did what to which export, and when; chained by hashes, with signed checkpoints."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, UniqueConstraint, text
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
    "link_minted",
    "link_refused",
    "share_revoked",
    "retried",
    "schedule_paused",
    "schedule_resumed",
)
_LISTED = ", ".join(f"'{action}'" for action in ACTIONS)


class AuditLog(Base):
    """One event.

    No foreign key to job or user: the log outlives both. The key is a sequence, not a text id, because events of one
    moment must keep their order. A refused link that names no job of ours has none, nor has what happens to a schedule.

    The trigger ``export_audit_logs_chain`` gives a row its position and hashes when its transaction is about to be
    committed; ``export_audit_logs_append_only`` refuses every later change. ``docs/audit.md`` says what is hashed.
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
        CheckConstraint("at >= '0001-01-01 00:00:00+00' AND at < '9999-12-31 23:59:59+00'", name="at_in_calendar"),
        CheckConstraint("num_nulls(position, previous_hash, hash) IN (0, 3) AND position > 0", name="chained_whole"),
        UniqueConstraint("position"),
        {"schema": EXPORTS},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    job_id: Mapped[str | None] = mapped_column(index=True)
    action: Mapped[str]
    user_id: Mapped[str | None]
    address: Mapped[str | None]
    user_agent: Mapped[str | None]
    additional_data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    at: Mapped[datetime]
    position: Mapped[int | None] = mapped_column(BigInteger)
    previous_hash: Mapped[str | None]
    hash: Mapped[str | None]


class AuditHead(Base):
    """The one row that says where the chain ends; whoever adds to the chain locks it."""

    __tablename__ = "export_audit_head"
    __table_args__ = (CheckConstraint("is_head", name="only_one"), {"schema": EXPORTS})

    is_head: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str]


class AuditCheckpointRow(Base):
    """What the chain's end was at some moment, signed; ``core.audit.Checkpoint`` is what other layers see of it."""

    __tablename__ = "export_audit_checkpoints"
    __table_args__ = (
        CheckConstraint("number > 0 AND position > 0", name="counts_from_one"),
        {"schema": EXPORTS},
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str]
    taken_at: Mapped[datetime]
    key_id: Mapped[str]
    signature: Mapped[str]
