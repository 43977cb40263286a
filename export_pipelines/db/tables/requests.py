"""Requests to the HTTP API that are counted or may be repeated."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables import people  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EVALUATION, EXPORTS, Base, references


class CountedRequest(Base):
    """A request of a kind that is limited; kept for as long as it counts."""

    __tablename__ = "counted_requests"
    __table_args__ = (
        CheckConstraint("kind IN ('create', 'login')", name="known_kind"),
        Index("ix_counted_requests_kind_who_at", "kind", "who", "at"),
        {"schema": EXPORTS},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class IdempotencyKey(Base):
    """A key that a client chose for its request, and the job it made; the same key makes no second one.

    No foreign key to the job: one that was deleted is not made again because its request is repeated.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("length(key) BETWEEN 1 AND 255", name="key_length"),
        {"schema": EXPORTS},
    )

    user_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    job_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
