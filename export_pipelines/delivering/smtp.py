"""The server that takes our mail, over SMTP; what it answers becomes an error of ours."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from export_pipelines.core.errors import (
    DeliveryRefusedError,
    MailServerUnavailableError,
    ReceiverUnavailableError,
    ValidationError,
)

_FORMS = (
    "EXPORT_PIPELINES_SMTP_URL takes smtp://user:password@host:587 or smtps://user:password@host:465, user and "
    "password percent-encoded; smtp:// also with ?tls=starttls or ?tls=none"
)
_PORTS = {("smtps", True): 465, ("smtp", True): 587, ("smtp", False): 25}
_TOO_LARGE = 552


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Where mail is handed over.

    Attributes:
        tls: ``implicit`` from the first byte, ``starttls``, or ``none``.
        seconds: longest that one answer may take.
    """

    host: str
    port: int
    tls: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = 20.0

    def send(self, message: EmailMessage, *, sender: str, recipient: str) -> None:
        """Hand one mail over; when this returns, the server has taken it.

        Raises:
            DeliveryRefusedError: it will never take it.
            MailServerUnavailableError: it takes no mail at all at the moment; also when nobody knows whether it has
                taken this one.
            ReceiverUnavailableError: it does not take this one at the moment.
        """
        with self._session() as session, _answers_translated(self.host, recipient):
            session.send_message(message, from_addr=sender, to_addrs=[recipient])

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        with _away(self.host):
            session = self._connect()
        try:
            with _away(self.host):
                self._enter(session)
            yield session
            # The mail is theirs by now, whatever becomes of the goodbye.
            with suppress(smtplib.SMTPException, OSError):
                session.quit()
        finally:
            session.close()

    def _connect(self) -> smtplib.SMTP:
        if self.tls == "implicit":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.seconds, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=self.seconds)

    def _enter(self, session: smtplib.SMTP) -> None:
        if self.tls == "starttls":
            session.starttls(context=ssl.create_default_context())
        if self.user is not None:
            session.login(self.user, self.password or "")


def read_server(url: str) -> MailServer:
    """The server that ``smtp://user:password@host:587?tls=starttls`` means.

    TLS is required wherever a password would be sent, and ``smtp://`` without one speaks plainly unless told otherwise:
    that is how relays on one's own machine are.

    Raises:
        ValidationError: it means none; the message does not repeat it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValidationError(f"{_FORMS}; what is set is no URL.") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/") or parts.fragment:
        raise ValidationError(f"{_FORMS}; what is set has another shape.")
    tls = _tls(parts)
    secure = tls != "none"
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[(parts.scheme, secure)],
        tls=tls,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _tls(parts: SplitResult) -> str:
    asked = parse_qs(parts.query, keep_blank_values=True)
    if parts.scheme == "smtps":
        if asked:
            raise ValidationError(f"{_FORMS}; smtps:// has no settings after a question mark.")
        return "implicit"
    default = "none" if parts.username is None else "starttls"
    [tls] = asked.pop("tls", [default])[-1:]
    if asked or tls not in ("starttls", "none"):
        raise ValidationError(f"{_FORMS}; nothing else may follow the question mark.")
    if tls == "none" and parts.username is not None:
        raise ValidationError(f"{_FORMS}; with tls=none anybody could read the password, so leave one of them out.")
    return tls


@contextmanager
def _away(host: str) -> Iterator[None]:
    """What goes wrong before there is a mail concerns all mail."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise MailServerUnavailableError(
            f"the mail server {host} does not accept our user and password ({error.smtp_code}); check "
            "EXPORT_PIPELINES_SMTP_URL."
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailServerUnavailableError(f"the mail server {host} cannot be used: {_said(error)}") from error


@contextmanager
def _answers_translated(host: str, recipient: str) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        [(code, text)] = error.recipients.values()
        raise _about_this_mail(host, recipient, code, text) from error
    except smtplib.SMTPSenderRefused as error:
        if error.smtp_code == _TOO_LARGE:
            raise _about_this_mail(host, recipient, error.smtp_code, error.smtp_error) from error
        raise MailServerUnavailableError(
            f"the mail server {host} takes no mail from {error.sender}: {error.smtp_code} {_text(error.smtp_error)}"
        ) from error
    except smtplib.SMTPDataError as error:
        raise _about_this_mail(host, recipient, error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryRefusedError(
            f"the mail server {host} cannot deliver to {recipient}: it knows no addresses beyond ASCII."
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailServerUnavailableError(
            f"the mail server {host} did not say whether it took the mail: {_said(error)}"
        ) from error


def _about_this_mail(
    host: str, recipient: str, code: int, text: bytes | str
) -> DeliveryRefusedError | ReceiverUnavailableError:
    answer = f"the mail server {host} does not take mail for {recipient}: {code} {_text(text)}"
    return DeliveryRefusedError(answer) if code >= 500 else ReceiverUnavailableError(answer)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return _text(str(error)) or type(error).__name__


def _text(answer: bytes | str) -> str:
    """A server's answer on one line, cut where it is longer than a person reads."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:300]
