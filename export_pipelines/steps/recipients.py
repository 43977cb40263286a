"""Recipients: whether they can be told at all, checked while the person who named them is still there."""

from dataclasses import replace

from export_pipelines.core.deliveries import DeliveryRequest, webhook_name
from export_pipelines.core.errors import ValidationError
from export_pipelines.db import webhooks
from export_pipelines.db.database import Database
from export_pipelines.delivering.addresses import read_address
from export_pipelines.steps.webhooks import check_name

MOST_RECIPIENTS = 20


def check_delivery(database: Database, delivery: DeliveryRequest, *, user_id: str) -> DeliveryRequest:
    """The request with each recipient once, in its one spelling.

    Raises:
        ValidationError: there are none or too many, one is no text (of a row that plain SQL wrote) or no address, or a
            webhook is paused.
        NotFoundError: the user has no webhook of this name.
    """
    if not all(isinstance(each, str) for each in delivery.recipients):
        raise ValidationError("recipients must be texts, each an e-mail address or webhook:NAME.")
    recipients = tuple(dict.fromkeys(_checked(database, text.strip(), user_id=user_id) for text in delivery.recipients))
    if not 0 < len(recipients) <= MOST_RECIPIENTS:
        raise ValidationError(f"there are {len(recipients)} recipients, but may be 1 to {MOST_RECIPIENTS}.")
    if delivery.attach_file and all(webhook_name(recipient) is not None for recipient in recipients):
        raise ValidationError("a webhook gets no file attached; name an e-mail address too, or leave attaching out.")
    return replace(delivery, recipients=recipients)


def _checked(database: Database, recipient: str, *, user_id: str) -> str:
    name = webhook_name(recipient)
    if name is None:
        return read_address(recipient).address
    if not webhooks.get(database, user_id=user_id, name=check_name(name)).active:
        raise ValidationError(f"the webhook {name!r} is paused; `export-pipelines webhooks resume {name}` ends that.")
    return recipient
