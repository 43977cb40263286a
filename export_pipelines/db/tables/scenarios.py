"""Scenarios: the prompts made from a definition."""

from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables import definitions  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EVALUATION, Base, CreatedAt, DeletedAt, Id, UpdatedAt, references


class Scenario(Base):
    """One prompt; ``content`` is read by ``core.scenarios``."""

    __tablename__ = "scenarios"
    __table_args__ = (
        CheckConstraint("name <> ''", name="has_name"),
        CheckConstraint("jsonb_typeof(content) = 'object'", name="content_is_object"),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    definition_id: Mapped[str] = mapped_column(
        references(f"{EVALUATION}.definitions.id", on_delete="CASCADE"), index=True
    )
    name: Mapped[str]
    content: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]
