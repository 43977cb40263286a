"""The events of exports: how each came along, for whoever watches."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables import jobs  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EXPORTS, Base, references


class ExportEvent(Base):
    """One moment of one job. The key is a sequence, so that a stream can go on after the last one it has."""

    __tablename__ = "export_events"
    __table_args__ = (
        CheckConstraint("progress_percent BETWEEN 0 AND 100", name="progress_is_percent"),
        CheckConstraint("attempt >= 1 AND rows_done >= 0 AND bytes_done >= 0", name="counts_not_negative"),
        Index("ix_export_events_job_id_id", "job_id", "id"),
        {"schema": EXPORTS},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    job_id: Mapped[str] = mapped_column(references(f"{EXPORTS}.export_jobs.id", on_delete="CASCADE"))
    attempt: Mapped[int]
    progress_percent: Mapped[int]
    rows_done: Mapped[int] = mapped_column(BigInteger)
    bytes_done: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str]
    at: Mapped[datetime]
