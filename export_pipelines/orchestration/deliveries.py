"""The sensor that sends messages about exports that have ended."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from export_pipelines.core.deliveries import DeliveryState
from export_pipelines.db.database import Database
from export_pipelines.orchestration.resources import services_of
from export_pipelines.storage.store import ObjectStore

if TYPE_CHECKING:
    from export_pipelines.steps.deliver import Sent


# Sending needs no worker, so it is done within the tick: a run for each mail would cost more than the mail.
@dg.sensor(
    name="send_deliveries",
    description="Sends the e-mails and webhooks that tell of exports that have completed or failed; what is not taken "
    "is tried again later, and given up after EXPORT_PIPELINES_DELIVERY_TRIES tries.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=4,
)
def send_deliveries(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.SkipReason:
    """One round of sending, and what became of it."""
    from export_pipelines.db import deliveries  # noqa: PLC0415 - see build.py
    from export_pipelines.steps.channels import open_channels  # noqa: PLC0415 - see build.py
    from export_pipelines.steps.deliver import deliver  # noqa: PLC0415 - see build.py

    services = services_of(database, store)
    done = deliver(services, open_channels(services.settings))
    for sent in done:
        if sent.state is not DeliveryState.SENT:
            context.log.warning("delivery=%s job=%s %s", sent.delivery.id, sent.delivery.job_id, told(sent))
    return dg.SkipReason(summary(done, waiting=deliveries.waiting(database)))


def summary(done: "Sequence[Sent]", *, waiting: int) -> str:
    """What a tick says: how many went out, and each that did not with its reason."""
    if not done:
        return f"Nothing is due; waiting for their next try: {waiting}." if waiting else "Nothing to send."
    number = sum(sent.state is DeliveryState.SENT for sent in done)
    return " ".join([f"Sent {number} of {len(done)} due.", *(told(sent) for sent in done if sent.reason)])


def told(sent: "Sent") -> str:
    """What became of a message that was not sent."""
    to, reason = sent.delivery.recipient, (sent.reason or "").rstrip(".")
    if sent.next_try_at is None:
        return f"To {to} given up: {reason}."
    return f"To {to} again at {sent.next_try_at:%H:%M:%S} UTC: {reason}."
