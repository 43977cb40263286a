"""E-mail addresses: whether a text is one, and its one spelling."""

from dataclasses import dataclass
from email.headerregistry import Address

from export_pipelines.core.errors import ValidationError

NAME_LENGTH = 60
"""Longer names have to be folded, which Python's library does not always do as other mail programs read it."""


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """An address, and the name that is shown with it."""

    local: str
    domain: str
    name: str = ""

    @property
    def address(self) -> str:
        """As SMTP names it."""
        return f"{self.local}@{self.domain}"

    @property
    def header(self) -> Address:
        """As a header names it."""
        # Not by ``addr_spec``, which refuses the letters beyond ASCII that RFC 6531 allows.
        return Address(self.name, username=self.local, domain=self.domain)


def read_address(text: str) -> Mailbox:
    """A bare address; domains in other scripts become their ASCII form, where that is possible.

    Raises:
        ValidationError: it is none.
    """
    try:
        return _mailbox(text)
    except ValueError as error:
        raise ValidationError(f"{text[:200]!r} is no e-mail address: {error}") from error


def read_sender(text: str) -> Mailbox:
    """An address, or a name with an address in angle brackets.

    Raises:
        ValidationError: it is neither.
    """
    name, _, address = text.strip().removesuffix(">").rpartition("<") if text.strip().endswith(">") else ("", "", text)
    shown = " ".join(name.split()).removeprefix('"').removesuffix('"')
    if len(shown) > NAME_LENGTH or not shown.isprintable() or "=?" in shown:
        raise ValidationError(
            f"EXPORT_PIPELINES_MAIL_FROM has the name {shown[:80]!r}, but takes at most {NAME_LENGTH} printable "
            "characters; shorten it."
        )
    try:
        return _mailbox(address, name=shown)
    except ValueError as error:
        raise ValidationError(
            f"EXPORT_PIPELINES_MAIL_FROM is {text!r}, but takes exports@example.org or "
            f"'Exports <exports@example.org>': {error}"
        ) from error


def _mailbox(text: str, *, name: str = "") -> Mailbox:
    """Raises ValueError with the reason, in words for people."""
    # Most commands have to do with no address, and its patterns take a while to compile.
    from email_validator import validate_email  # noqa: PLC0415

    # Whether anybody reads mail there, only sending can tell; and a company's own mail server may be called anything.
    valid = validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    return Mailbox(local=valid.ascii_local_part or valid.local_part, domain=valid.ascii_domain, name=name)
