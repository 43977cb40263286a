"""What is sent when an export has ended or is shared, to whom, and how each message comes along."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WEBHOOK = "webhook:"
"""What a recipient that is a webhook begins with; every other recipient is an e-mail address."""


@dataclass(frozen=True, kw_only=True)
class DeliveryRequest:
    """Who hears of the end of an export; part of the request, since it outlives the process that asked.

    Attributes:
        recipients: each an e-mail address, or ``webhook:`` and the name of one of the user's webhooks.
        include_download_link: whether the message has a link that downloads the file.
        attach_file: whether an e-mail has the file itself, when it is small enough.
    """

    recipients: tuple[str, ...]
    include_download_link: bool = True
    attach_file: bool = False


class DeliveryState(enum.StrEnum):
    """How far a delivery has come."""

    PENDING = "PENDING"
    SENT = "SENT"
    DEAD = "DEAD"


class DeliveryEvent(enum.StrEnum):
    """What a message is about; webhooks carry it as their type."""

    COMPLETED = "export.completed"
    FAILED = "export.failed"
    SHARED = "export.shared"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One row of ``exports.export_deliveries``: one recipient's message about one end of a job. Times are UTC.

    Or about a file that was shared with the recipient.

    Attributes:
        id: also the idempotency key: every try to deliver carries it, so that a receiver knows a message it has.
        data: what was known of the export when it ended: the ``data`` of the webhook's payload, without the link.
        tries: those begun, also the one under way.
        next_try_at: not before; of a delivery that is over, when it was last due.
        claim: set while somebody sends; what fences the sender's report.
        share_id: of the share that the message is about; None when it is about the end of a job.
    """

    id: str
    job_id: str
    attempt: int
    event: DeliveryEvent
    recipient: str
    state: DeliveryState
    data: Mapping[str, Any]
    tries: int
    next_try_at: datetime
    created_at: datetime
    claim: str | None = None
    claimed_until: datetime | None = None
    last_error: str | None = None
    sent_at: datetime | None = None
    share_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """Where a user wants messages posted.

    Attributes:
        name: what recipients call it, unique for the user.
        sealed_secret: what signs its messages, encrypted.
        active: paused ones get nothing.
    """

    id: str
    user_id: str
    name: str
    url: str
    active: bool
    created_at: datetime
    sealed_secret: bytes = field(repr=False)


def webhook_name(recipient: str) -> str | None:
    """The webhook's name; None for an e-mail address."""
    return recipient.removeprefix(WEBHOOK) if recipient.startswith(WEBHOOK) else None
