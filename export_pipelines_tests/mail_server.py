"""A real SMTP server on loopback, whose moods a test chooses; it keeps what it took."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "ada", "a password/with:signs@in it"


@dataclass
class MailServer:
    """What the server has taken, and how it answers.

    Attributes:
        answers: to the next mails' contents, one each; without any more it takes them.
        refused: recipients that it does not know.
        hang_up: whether it takes the next mail and goes away before it says so.
    """

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    secured: list[bool] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.envelopes.append((str(envelope.mail_from), envelope.rcpt_tos))
        self.secured.append(session.ssl is not None)
        if self.hang_up:
            self.hang_up = False
            server.transport.abort()
        return "250 OK"


@contextmanager
def mail_server(*, port: int = 0, tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[MailServer]:
    """A running server; with ``tls`` it offers STARTTLS and asks for user and password."""
    handler = MailServer()
    if tls is not None:
        options |= {"tls_context": tls, "auth_required": True, "authenticator": _authenticate}
    controller = _Controller(handler, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        handler.port = controller.server.sockets[0].getsockname()[1]
        yield handler
    finally:
        controller.stop()


class _Controller(Controller):
    """aiosmtpd's, on any free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _authenticate(server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    right = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
    return AuthResult(success=right, handled=False)
