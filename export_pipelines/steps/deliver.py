"""Deliver: send what the outbox holds, a bounded number at a time, and write down what became of each message."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from export_pipelines.core.deliveries import Delivery, DeliveryState, webhook_name
from export_pipelines.core.errors import (
    DeliveryRefusedError,
    MailServerUnavailableError,
    NotFoundError,
    ReceiverGoneError,
    ReceiverUnavailableError,
    RequestError,
    UnavailableError,
)
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import deliveries, jobs, webhooks
from export_pipelines.delivering.addresses import read_address
from export_pipelines.delivering.mail import compose
from export_pipelines.steps.channels import Channels
from export_pipelines.steps.notices import notice_of, payload_of
from export_pipelines.steps.services import Services
from export_pipelines.steps.webhooks import secret_of

LEASE = timedelta(minutes=5)
"""Longer than handing over one message takes; a sender that died over one keeps it for so long."""
MOST = 50
SECONDS = 20.0
"""No message is begun after so long: Dagster gives a tick one minute in all."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=4)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of one message.

    Attributes:
        state: SENT, PENDING when it is tried again at ``next_try_at``, DEAD when it was given up.
        reason: why it was not sent.
    """

    delivery: Delivery
    state: DeliveryState
    reason: str | None = None
    next_try_at: datetime | None = None


@dataclass(kw_only=True)
class _Away:
    """Receivers that have not answered in this round: they are left in peace until the next."""

    recipients: set[tuple[str, str]] = field(default_factory=set)
    mail: bool = False


def deliver(services: Services, channels: Channels, *, most: int = MOST, seconds: float = SECONDS) -> tuple[Sent, ...]:
    """Send what is due, the longest due first; any number of senders may do so at once.

    Each message is sent at least once: a sender that dies between sending and writing that down leaves it to be sent
    again, with the same id.
    """
    stop = services.clock() + timedelta(seconds=seconds)
    away = _Away()
    done: list[Sent] = []
    while len(done) < most and (now := services.clock()) < stop:
        delivery = deliveries.claim(
            services.database, now=now, lease=LEASE, passing_over=away.recipients, without_mail=away.mail
        )
        if delivery is None:
            break
        done.append(_send(services, channels, delivery, away))
    return tuple(done)


def wait_before_next(tries: int, *, retry_after: float | None = None) -> timedelta:
    """How long after this many tries: twice as long each time, and as long as the receiver asks for."""
    doubled = FIRST_WAIT * (1 << min(tries - 1, 30))
    return min(max(doubled, timedelta(seconds=retry_after or 0)), LONGEST_WAIT)


def _send(services: Services, channels: Channels, delivery: Delivery, away: _Away) -> Sent:
    most = services.settings.delivery_tries
    if delivery.tries > most:
        return _give_up(services, delivery, f"given up after {most} tries: the sender died in the midst of the last.")
    try:
        job = jobs.get(services.database, delivery.job_id)
    except NotFoundError as error:
        # Deleted in this very moment, and the delivery with it.
        return Sent(delivery=delivery, state=DeliveryState.DEAD, reason=str(error))
    try:
        _hand_over(services, channels, delivery, job)
    except RequestError as error:
        return _give_up(services, delivery, str(error))
    except UnavailableError as error:
        away.mail = away.mail or isinstance(error, MailServerUnavailableError)
        away.recipients.add((job.user_id, delivery.recipient))
        if delivery.tries >= most:
            return _give_up(services, delivery, f"given up after {most} tries: {error}")
        return _put_off(services, delivery, error)
    deliveries.mark_sent(services.database, delivery, now=services.clock())
    return Sent(delivery=delivery, state=DeliveryState.SENT)


def _hand_over(services: Services, channels: Channels, delivery: Delivery, job: ExportJob) -> None:
    name = webhook_name(delivery.recipient)
    if name is None:
        _mail(services, channels, delivery, job)
    else:
        _post(services, channels, delivery, job, name)


def _mail(services: Services, channels: Channels, delivery: Delivery, job: ExportJob) -> None:
    if channels.mail is None:
        # Not kept waiting: whoever sets a server next month would have everybody told of files that are long gone.
        raise DeliveryRefusedError(
            "no mail server is set; set EXPORT_PIPELINES_SMTP_URL and EXPORT_PIPELINES_MAIL_FROM, then "
            f"`export-pipelines deliveries retry {delivery.id}`."
        )
    sender, recipient = channels.mail.sender, read_address(delivery.recipient)
    message = compose(notice_of(services, delivery, job), sender=sender, recipient=recipient, now=services.clock())
    channels.mail.server.send(message, sender=sender.address, recipient=recipient.address)


def _post(services: Services, channels: Channels, delivery: Delivery, job: ExportJob, name: str) -> None:
    endpoint = webhooks.get(services.database, user_id=job.user_id, name=name)
    if not endpoint.active:
        raise DeliveryRefusedError(
            f"the webhook {name!r} is paused; `export-pipelines webhooks resume {name}`, then "
            f"`export-pipelines deliveries retry {delivery.id}`."
        )
    try:
        channels.webhooks.post(
            endpoint.url,
            payload_of(services, delivery, job),
            secret=secret_of(services.settings, endpoint),
            message_id=delivery.id,
            now=services.clock(),
        )
    except ReceiverGoneError:
        webhooks.set_active(services.database, user_id=job.user_id, name=name, active=False)
        raise


def _put_off(services: Services, delivery: Delivery, error: UnavailableError) -> Sent:
    asked = error.retry_after if isinstance(error, ReceiverUnavailableError) else None
    until = services.clock() + wait_before_next(delivery.tries, retry_after=asked)
    deliveries.put_off(services.database, delivery, error=str(error), until=until)
    return Sent(delivery=delivery, state=DeliveryState.PENDING, reason=str(error), next_try_at=until)


def _give_up(services: Services, delivery: Delivery, reason: str) -> Sent:
    deliveries.give_up(services.database, delivery, error=reason)
    return Sent(delivery=delivery, state=DeliveryState.DEAD, reason=reason)
