"""Transcripts: what one model answered to one scenario in one run."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables import runs, scenarios  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EVALUATION, Base, CreatedAt, DeletedAt, Id, references


class Transcript(Base):
    """One transcript.

    Attributes:
        content: read by ``core.transcripts``; NULL once it has expired, ``{}`` when it never held anything.
        definition_snapshot: the definition's content as it was when the run started.
        estimated_cost: US dollars.
    """

    __tablename__ = "transcripts"
    __table_args__ = (
        CheckConstraint("target_model <> ''", name="has_model"),
        CheckConstraint("jsonb_typeof(content) = 'object'", name="content_is_object"),
        CheckConstraint("turn_count >= 0 AND token_count >= 0 AND duration_ms >= 0", name="counts_not_negative"),
        CheckConstraint("estimated_cost >= 0 AND estimated_cost < 'Infinity'", name="cost_is_amount"),
        # The order of every export of a run, bytewise, so that rows come sorted without a sort.
        Index(
            "ix_transcripts_export_order",
            "run_id",
            text('target_model COLLATE "C"'),
            text('scenario_id COLLATE "C"'),
            text('id COLLATE "C"'),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        # For exports of one day.
        Index("ix_transcripts_created_at", "created_at", postgresql_where=text("deleted_at IS NULL")),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    run_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.runs.id", on_delete="CASCADE"), index=True)
    scenario_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.scenarios.id"), index=True)
    target_model: Mapped[str]
    model_version: Mapped[str | None]
    definition_snapshot: Mapped[dict[str, Any] | None]
    content: Mapped[dict[str, Any] | None]
    turn_count: Mapped[int] = mapped_column(server_default="0")
    token_count: Mapped[int] = mapped_column(server_default="0")
    duration_ms: Mapped[int] = mapped_column(server_default="0")
    estimated_cost: Mapped[float | None]
    decision_code: Mapped[str | None]
    decision_text: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    content_expires_at: Mapped[datetime | None]
    deleted_at: Mapped[DeletedAt]
