"""The ways that messages leave by, as the settings have them."""

from dataclasses import dataclass

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import Settings
from export_pipelines.delivering.addresses import Mailbox, read_sender
from export_pipelines.delivering.smtp import MailServer, read_server
from export_pipelines.delivering.webhooks import Poster


@dataclass(frozen=True, kw_only=True)
class Post:
    """The mail server, and whom mail is from."""

    server: MailServer
    sender: Mailbox


@dataclass(frozen=True, kw_only=True)
class Channels:
    """Mail, None where no server is set, and webhooks."""

    mail: Post | None
    webhooks: Poster


def open_channels(settings: Settings) -> Channels:
    """Channels that connect when there is something to send.

    Raises:
        ValidationError: a setting cannot be used.
    """
    return Channels(mail=_mail(settings), webhooks=open_poster(settings))


def open_poster(settings: Settings) -> Poster:
    """Webhooks alone, for whoever sends no mail."""
    return Poster(allowed=settings.webhook_allow_networks)


def _mail(settings: Settings) -> Post | None:
    if settings.smtp_url is None:
        return None
    server = read_server(settings.smtp_url)
    if settings.mail_from is None:
        raise ValidationError(
            "EXPORT_PIPELINES_SMTP_URL is set, but not whom mail is from; set EXPORT_PIPELINES_MAIL_FROM, for instance "
            "to exports@example.org."
        )
    return Post(server=server, sender=read_sender(settings.mail_from))
