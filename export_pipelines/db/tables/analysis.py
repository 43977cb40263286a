"""Analysis results of runs, and the rubrics that judges used."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.core.evaluation import AnalysisStatus
from export_pipelines.db.tables import runs  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EVALUATION, Base, CreatedAt, Id, enum_type, references


class AnalysisResult(Base):
    """What an analysis found; of each type a run has at most one CURRENT result."""

    __tablename__ = "analysis_results"
    __table_args__ = (
        CheckConstraint("analysis_type ~ '^[a-z][a-z0-9_]{0,62}$'", name="type_shape"),
        Index(
            "uq_analysis_results_current",
            "run_id",
            "analysis_type",
            unique=True,
            postgresql_where=text("status = 'CURRENT'"),
        ),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    run_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.runs.id", on_delete="CASCADE"), index=True)
    analysis_type: Mapped[str]
    input_hash: Mapped[str]
    code_version: Mapped[str]
    output: Mapped[dict[str, Any]]
    status: Mapped[AnalysisStatus] = mapped_column(
        enum_type(AnalysisStatus, name="analysis_status", schema=EVALUATION), server_default="CURRENT"
    )
    created_at: Mapped[CreatedAt]


class Rubric(Base):
    """One version of the rules a judge scores by."""

    __tablename__ = "rubrics"
    __table_args__ = (
        UniqueConstraint("name", "version"),
        CheckConstraint("name <> ''", name="has_name"),
        CheckConstraint("version >= 1", name="version_counts_from_one"),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    name: Mapped[str]
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]
