"""Whom a finished export is shared with."""

from datetime import datetime

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables import jobs, people  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EVALUATION, EXPORTS, Base, CreatedAt, Id, references


class ExportShareRow(Base):
    """One grant, to a user or to an address outside; what is revoked or over stays, to be seen."""

    __tablename__ = "export_shares"
    __table_args__ = (
        CheckConstraint("num_nonnulls(user_id, email) = 1", name="one_grantee"),
        CheckConstraint("expires_at > created_at", name="expires_after_creation"),
        CheckConstraint("download_count >= 0", name="counts_not_negative"),
        CheckConstraint("length(message) <= 2000", name="message_length"),
        {"schema": EXPORTS},
    )

    id: Mapped[Id]
    job_id: Mapped[str] = mapped_column(references(f"{EXPORTS}.export_jobs.id", on_delete="CASCADE"), index=True)
    created_by: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"), index=True)
    user_id: Mapped[str | None] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"), index=True)
    email: Mapped[str | None]
    message: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    download_count: Mapped[int] = mapped_column(server_default=text("0"))
    last_downloaded_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
