"""The outbox of messages about exports that have ended, and the webhooks that some of them go to."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.core.deliveries import DeliveryEvent, DeliveryState
from export_pipelines.db.tables import jobs, people, shares  # noqa: F401 - what its rows refer to
from export_pipelines.db.tables.base import EVALUATION, EXPORTS, Base, CreatedAt, Id, enum_type, references

_EVENTS = ", ".join(f"'{event}'" for event in DeliveryEvent)


class ExportDelivery(Base):
    """One recipient's message about one end of a job, written in the transaction that ended it.

    Or about a file that was shared with the recipient, written in the transaction that shared it.
    """

    __tablename__ = "export_deliveries"
    __table_args__ = (
        # An attempt that fails, is retried and fails again has been told of once.
        UniqueConstraint("job_id", "attempt", "event", "recipient", "share_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("(event = 'export.shared') = (share_id IS NOT NULL)", name="shared_has_share"),
        CheckConstraint(f"event IN ({_EVENTS})", name="known_event"),
        CheckConstraint("recipient <> ''", name="has_recipient"),
        CheckConstraint("jsonb_typeof(data) = 'object'", name="data_is_object"),
        CheckConstraint("attempt >= 1 AND tries >= 0", name="counts_not_negative"),
        CheckConstraint("(state = 'SENT') = (sent_at IS NOT NULL)", name="sent_has_time"),
        CheckConstraint("state <> 'DEAD' OR coalesce(last_error, '') <> ''", name="dead_has_error"),
        CheckConstraint(
            "num_nulls(claim, claimed_until) IN (0, 2) AND (state = 'PENDING' OR claim IS NULL)",
            name="claimed_while_pending",
        ),
        Index("ix_export_deliveries_next_try_at", "next_try_at", "id", postgresql_where=text("state = 'PENDING'")),
        Index("ix_export_deliveries_created_at", "created_at"),
        {"schema": EXPORTS},
    )

    id: Mapped[Id]
    job_id: Mapped[str] = mapped_column(references(f"{EXPORTS}.export_jobs.id", on_delete="CASCADE"))
    attempt: Mapped[int]
    event: Mapped[str]
    recipient: Mapped[str]
    state: Mapped[DeliveryState] = mapped_column(
        enum_type(DeliveryState, name="delivery_state", schema=EXPORTS), server_default="PENDING"
    )
    data: Mapped[dict[str, Any]]
    tries: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[datetime]
    claim: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    share_id: Mapped[str | None] = mapped_column(
        references(f"{EXPORTS}.export_shares.id", on_delete="CASCADE"), index=True
    )


class WebhookEndpointRow(Base):
    """Where a user wants messages posted. The secret signs each of them, so it cannot be a hash: it is encrypted."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        CheckConstraint("name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'", name="name_shape"),
        CheckConstraint("url ~ '^https?://'", name="url_shape"),
        {"schema": EXPORTS},
    )

    id: Mapped[Id]
    user_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"))
    name: Mapped[str]
    url: Mapped[str]
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[CreatedAt]
