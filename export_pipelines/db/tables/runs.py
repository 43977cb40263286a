"""Runs: a definition's scenarios put to a set of models."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.tables import definitions, experiments  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import (
    EVALUATION,
    Base,
    CreatedAt,
    DeletedAt,
    Id,
    UpdatedAt,
    enum_type,
    references,
)


class Run(Base):
    """One run.

    Attributes:
        config: ``models`` and ``scenario_ids`` in their order, ``probe_model``, ``temperature``, ...; and, where the
            application keeps it here, ``definition_snapshot``.
    """

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint("jsonb_typeof(config) = 'object'", name="config_is_object"),
        CheckConstraint("jsonb_typeof(progress) = 'object'", name="progress_is_object"),
        # The order in which subscriptions hear of them.
        Index(
            "ix_runs_completed",
            "completed_at",
            "id",
            postgresql_where=text("status = 'COMPLETED' AND deleted_at IS NULL"),
        ),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    definition_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.definitions.id"), index=True)
    experiment_id: Mapped[str | None] = mapped_column(
        references(f"{EVALUATION}.experiments.id", on_delete="SET NULL"), index=True
    )
    name: Mapped[str | None]
    status: Mapped[RunStatus] = mapped_column(
        enum_type(RunStatus, name="run_status", schema=EVALUATION), server_default="PENDING", index=True
    )
    config: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    progress: Mapped[dict[str, Any] | None]
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]
