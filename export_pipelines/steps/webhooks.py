"""The webhooks of a user: added with a secret that is shown once, and tried out."""

import re
from dataclasses import dataclass, field

from export_pipelines.core.deliveries import WebhookEndpoint
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.ids import new_id
from export_pipelines.core.settings import Settings
from export_pipelines.db import webhooks
from export_pipelines.delivering.payloads import payload
from export_pipelines.delivering.sealing import seal, unseal
from export_pipelines.delivering.signatures import new_secret
from export_pipelines.delivering.webhooks import Poster
from export_pipelines.steps.services import Services
from export_pipelines.storage.secret import webhook_key

TEST = "webhook.test"
"""The type of the message that tries a webhook out; receivers should leave it at that."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class NewWebhook:
    """A webhook that was just added, and its secret, which cannot be had again."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


def add(services: Services, poster: Poster, *, user_id: str, name: str, url: str) -> NewWebhook:
    """Keep a new webhook of the user.

    Raises:
        ValidationError, DeliveryRefusedError: the name or the URL will not do.
        ConflictError: the user has one of this name.
        ReceiverUnavailableError: the URL's host has no address.
    """
    check_name(name)
    poster.check(url)
    secret, endpoint_id = new_secret(), new_id()
    endpoint = WebhookEndpoint(
        id=endpoint_id,
        user_id=user_id,
        name=name,
        url=url,
        active=True,
        created_at=services.clock(),
        sealed_secret=seal(webhook_key(services.settings), secret, owner=endpoint_id),
    )
    return NewWebhook(endpoint=webhooks.create(services.database, endpoint), secret=secret)


def try_out(services: Services, poster: Poster, *, user_id: str, name: str) -> int:
    """Post a message that is about nothing; the status that the receiver answered.

    Raises:
        NotFoundError: the user has no such webhook.
        DeliveryRefusedError, ReceiverUnavailableError: the message did not arrive; the message says why.
    """
    endpoint = webhooks.get(services.database, user_id=user_id, name=check_name(name))
    now = services.clock()
    body = payload(TEST, at=now, data={"webhook": name})
    secret = secret_of(services.settings, endpoint)
    return poster.post(endpoint.url, body, secret=secret, message_id=new_id(), now=now)


def secret_of(settings: Settings, endpoint: WebhookEndpoint) -> str:
    """What signs the webhook's messages.

    Raises:
        ValidationError: it was encrypted with a key that is no longer there.
    """
    return unseal(webhook_key(settings), endpoint.sealed_secret, owner=endpoint.id)


def check_name(name: str) -> str:
    """The name, provided that it can be one.

    Raises:
        ValidationError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ValidationError(
            f"{name[:80]!r} cannot be the name of a webhook; use up to 63 letters, digits, dots, dashes, underscores."
        )
    return name
