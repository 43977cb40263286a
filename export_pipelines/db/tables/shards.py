"""The ledger of shards: what a job planned, froze and rendered."""

import enum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables import jobs  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EXPORTS, Base, enum_type, references


class ShardState(enum.StrEnum):
    """How far a shard has come."""

    PLANNED = "PLANNED"
    FROZEN = "FROZEN"
    RENDERED = "RENDERED"


class ExportShard(Base):
    """One shard of one attempt of a job."""

    __tablename__ = "export_shards"
    __table_args__ = (
        CheckConstraint("attempt >= 1 AND shard_index >= 0", name="numbers_in_range"),
        CheckConstraint("rows >= 0 AND copy_bytes >= 0 AND frozen_size >= 0", name="counts_not_negative"),
        CheckConstraint(
            "state = 'PLANNED' OR num_nulls(rows, copy_bytes) = 0 AND (part IS NOT NULL OR"
            " num_nulls(frozen_key, frozen_size, frozen_sha256) = 0)",
            name="frozen_has_facts",
        ),
        CheckConstraint("(state = 'RENDERED') = (part IS NOT NULL)", name="rendered_has_part"),
        CheckConstraint("rows_rendered >= 0 AND bytes_rendered >= 0", name="rendered_not_negative"),
        {"schema": EXPORTS},
    )

    job_id: Mapped[str] = mapped_column(references(f"{EXPORTS}.export_jobs.id", on_delete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    shard_index: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[ShardState] = mapped_column(
        enum_type(ShardState, name="shard_state", schema=EXPORTS), server_default="PLANNED"
    )
    first_key: Mapped[str | None]
    last_key: Mapped[str | None]
    rows: Mapped[int | None] = mapped_column(BigInteger)
    copy_bytes: Mapped[int | None] = mapped_column(BigInteger)
    frozen_key: Mapped[str | None]
    frozen_size: Mapped[int | None] = mapped_column(BigInteger)
    frozen_sha256: Mapped[str | None]
    rows_rendered: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    bytes_rendered: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    part: Mapped[dict[str, Any] | None]
