"""Between a subscription's row and the records of ``core.subscriptions``."""

from datetime import UTC
from typing import Any

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.subscriptions import NewSubscription, Reaction, Subscription
from export_pipelines.db.tables import ExportReaction, ExportSubscription


def subscription_of(row: ExportSubscription) -> Subscription:
    """The row as other layers see it."""
    return Subscription(
        id=row.id,
        name=row.name,
        user_id=row.user_id,
        runs_of=row.runs_of,
        subject_id=row.subject_id,
        type=row.type,
        # JSONB keeps keys in an order of its own.
        options=dict(sorted(row.options.items())),
        expiry_hours=row.expiry_hours,
        delivery=_delivery_of(row),
        active=row.active,
        active_since=row.active_since.astimezone(UTC),
        created_at=row.created_at.astimezone(UTC),
        updated_at=row.updated_at.astimezone(UTC),
    )


def row_of(new: NewSubscription) -> ExportSubscription:
    """The row to be inserted, without its times."""
    return ExportSubscription(user_id=new.user_id, **columns_of(new))


def columns_of(new: NewSubscription) -> dict[str, Any]:
    """What it says, by column; whose it is aside."""
    delivery = new.delivery or DeliveryRequest(recipients=())
    return {
        "name": new.name,
        "runs_of": new.runs_of,
        "subject_id": new.subject_id,
        "type": new.type,
        "options": dict(new.options),
        "expiry_hours": new.expiry_hours,
        "recipients": list(delivery.recipients),
        "include_download_link": delivery.include_download_link,
        "attach_file": delivery.attach_file,
    }


def reaction_of(row: ExportReaction) -> Reaction:
    """The row as other layers see it."""
    return Reaction(run_id=row.run_id, at=row.at.astimezone(UTC), job_id=row.job_id, reason=row.reason)


def _delivery_of(row: ExportSubscription) -> DeliveryRequest | None:
    """Nobody is told where there are no recipients."""
    if not row.recipients:
        return None
    return DeliveryRequest(
        recipients=tuple(row.recipients),
        include_download_link=row.include_download_link,
        attach_file=row.attach_file,
    )
