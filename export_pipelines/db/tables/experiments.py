"""Experiments, which hold runs together, and comparisons of two runs."""

from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables import runs  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EVALUATION, Base, CreatedAt, DeletedAt, Id, UpdatedAt, references


class Experiment(Base):
    """A question that several runs answer; ``runs.experiment_id`` points here."""

    __tablename__ = "experiments"
    __table_args__ = (CheckConstraint("name <> ''", name="has_name"), {"schema": EVALUATION})

    id: Mapped[Id]
    name: Mapped[str]
    hypothesis: Mapped[str | None]
    plan: Mapped[dict[str, Any] | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]


class RunComparison(Base):
    """What came of setting one run against another."""

    __tablename__ = "run_comparisons"
    __table_args__ = (
        CheckConstraint("baseline_run_id <> comparison_run_id", name="two_runs"),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    experiment_id: Mapped[str | None] = mapped_column(
        references(f"{EVALUATION}.experiments.id", on_delete="SET NULL"), index=True
    )
    baseline_run_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.runs.id", on_delete="CASCADE"), index=True)
    comparison_run_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.runs.id", on_delete="CASCADE"), index=True)
    result: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]
