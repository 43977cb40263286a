"""Subscriptions to completed runs, and what each answered to which run."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.core.subscriptions import RunsOf
from export_pipelines.db.tables import people  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import (
    EVALUATION,
    EXPORTS,
    Base,
    CreatedAt,
    Id,
    UpdatedAt,
    enum_type,
    readable_json,
    readable_times,
    references,
)


class ExportSubscription(Base):
    """One subscription; ``core.subscriptions.Subscription`` is what other layers see of it.

    What it is about has no foreign key: an application may delete a definition or a tag of its own without asking us,
    and the subscription stays, to be seen and removed by its owner.
    """

    __tablename__ = "export_subscriptions"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        CheckConstraint("name <> ''", name="has_name"),
        CheckConstraint("(runs_of = 'ALL') = (subject_id IS NULL)", name="has_subject"),
        CheckConstraint("type ~ '^[A-Z][A-Z0-9_]{0,62}$'", name="type_shape"),
        CheckConstraint("jsonb_typeof(options) = 'object'", name="options_is_object"),
        CheckConstraint("expiry_hours BETWEEN 1 AND 168", name="expiry_in_range"),
        CheckConstraint("jsonb_typeof(recipients) = 'array'", name="recipients_is_array"),
        readable_json("options"),
        readable_json("recipients"),
        readable_times("created_at", "updated_at", "active_since"),
        {"schema": EXPORTS},
    )

    id: Mapped[Id]
    user_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"))
    name: Mapped[str]
    runs_of: Mapped[RunsOf] = mapped_column(enum_type(RunsOf, name="runs_of", schema=EXPORTS))
    subject_id: Mapped[str | None]
    type: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    expiry_hours: Mapped[int] = mapped_column(server_default=text("24"))
    recipients: Mapped[list[Any]] = mapped_column(server_default="[]")
    include_download_link: Mapped[bool] = mapped_column(server_default=text("true"))
    attach_file: Mapped[bool] = mapped_column(server_default=text("false"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    active_since: Mapped[CreatedAt]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class ExportReaction(Base):
    """A subscription's answer to one run, written in the transaction that makes the job; the key keeps it the only one.

    It outlives run and job, so that neither is ever answered to again: no foreign keys to them.
    """

    __tablename__ = "export_reactions"
    __table_args__ = (
        CheckConstraint("num_nonnulls(job_id, reason) = 1", name="job_or_reason"),
        {"schema": EXPORTS},
    )

    subscription_id: Mapped[str] = mapped_column(
        references(f"{EXPORTS}.export_subscriptions.id", on_delete="CASCADE"), primary_key=True
    )
    run_id: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str | None]
    reason: Mapped[str | None]
    at: Mapped[datetime]
