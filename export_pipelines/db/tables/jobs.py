"""The export jobs, one row each; ``core.jobs.ExportJob`` is what other layers see of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.core.ids import new_id
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db.tables import people  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import (
    EVALUATION,
    EXPORTS,
    Base,
    CreatedAt,
    UpdatedAt,
    enum_type,
    readable_json,
    readable_times,
    references,
)

RANDOM_ID = "'c'::text || substr(replace(gen_random_uuid()::text, '-'::text, ''::text), 1, 24)"
_TIMES = (
    "created_at",
    "started_at",
    "completed_at",
    "updated_at",
    "expires_at",
    "estimated_finish_at",
    "launch_after",
    "claimed_at",
    "admitted_at",
)


class ExportJobRow(Base):
    """One export.

    Its changes of status are held to ``core.jobs.TRANSITIONS``, and its attempt and launch are kept from falling, by
    the trigger ``export_jobs_transitions``. ``admitted_at`` is empty in every new row, whatever the INSERT says, by the
    trigger ``export_jobs_arrival``: only who has checked the row sets it.
    """

    __tablename__ = "export_jobs"
    __table_args__ = (
        CheckConstraint("type ~ '^[A-Z][A-Z0-9_]{0,62}$'", name="type_shape"),
        CheckConstraint("jsonb_typeof(input) = 'object'", name="input_is_object"),
        CheckConstraint("jsonb_typeof(fidelity) = 'array'", name="fidelity_is_array"),
        CheckConstraint(
            "status <> 'COMPLETED' OR num_nulls(output_url, expires_at, completed_at) = 0",
            name="completed_has_output",
        ),
        CheckConstraint("status <> 'FAILED' OR coalesce(error, '') <> ''", name="failed_has_error"),
        CheckConstraint("expires_at > completed_at", name="expires_after_completion"),
        CheckConstraint("progress_percent BETWEEN 0 AND 100", name="progress_is_percent"),
        CheckConstraint("attempt >= 1", name="attempt_counts_from_one"),
        CheckConstraint(
            "download_count >= 0 AND output_size_bytes >= 0 AND record_count >= 0", name="counts_not_negative"
        ),
        CheckConstraint(
            "rows_done >= 0 AND rows_total >= 0 AND bytes_done >= 0 AND bytes_per_second >= 0",
            name="progress_not_negative",
        ),
        CheckConstraint(
            "progress_percent < 100 OR status IN ('COMPLETED', 'EXPIRED')", name="whole_only_when_published"
        ),
        CheckConstraint("launch >= 1 AND size_hint >= 0", name="queue_not_negative"),
        CheckConstraint("num_nulls(claimed_at, claimed_by) IN (0, 2)", name="claim_has_claimant"),
        CheckConstraint("checksum ~ '^[0-9a-f]{64}$'", name="checksum_shape"),
        CheckConstraint("bytes_per_second < 'Infinity'", name="rate_is_finite"),
        readable_json("input"),
        readable_json("fidelity"),
        readable_times(*_TIMES),
        Index("ix_export_jobs_expires_at", "expires_at", postgresql_where=text("status = 'COMPLETED'")),
        Index("ix_export_jobs_type_status", "type", "status"),
        Index("ix_export_jobs_completed_at", "completed_at", postgresql_where=text("completed_at IS NOT NULL")),
        Index("ix_export_jobs_user_id_claimed_at", "user_id", "claimed_at"),
        # What lists of one's own jobs are read by, page for page.
        Index("ix_export_jobs_user_id_created_at_id", "user_id", "created_at", "id"),
        {"schema": EXPORTS},
    )

    # Whoever makes a row by plain SQL need not think of an id.
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id, server_default=text(RANDOM_ID))
    user_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"))
    type: Mapped[str]
    status: Mapped[JobStatus] = mapped_column(
        enum_type(JobStatus, name="export_status", schema=EXPORTS), server_default="PENDING", index=True
    )
    input: Mapped[dict[str, Any]]
    title: Mapped[str] = mapped_column(server_default="")
    output_path: Mapped[str | None]
    output_url: Mapped[str | None]
    output_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    record_count: Mapped[int | None] = mapped_column(BigInteger)
    checksum: Mapped[str | None]
    fidelity: Mapped[list[Any]] = mapped_column(server_default="[]")
    expires_at: Mapped[datetime | None]
    error: Mapped[str | None]
    progress_percent: Mapped[int] = mapped_column(server_default="0")
    phase: Mapped[str | None]
    rows_done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    rows_total: Mapped[int | None] = mapped_column(BigInteger)
    bytes_done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    bytes_per_second: Mapped[float | None]
    estimated_finish_at: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(server_default="1")
    dagster_run_id: Mapped[str | None] = mapped_column(index=True)
    download_count: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[UpdatedAt]
    launch: Mapped[int] = mapped_column(server_default=text("1"))
    launch_after: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    size_hint: Mapped[int | None] = mapped_column(BigInteger)
    admitted_at: Mapped[datetime | None]
