"""From a notice to a mail: headers, text, HTML, and the file when it goes along."""

import mimetypes
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, formataddr
from typing import Any

from export_pipelines.delivering.addresses import Mailbox
from export_pipelines.delivering.notices import Attachment, Notice
from export_pipelines.delivering.wording import html, one_line, plain, subject


class _Policy(EmailPolicy):
    """The library's, but for what people chose: its own folding puts blanks into long words and names."""

    def fold(self, name: str, value: Any) -> str:  # noqa: ANN401 - as the library declares it
        """The header as lines."""
        if self.utf8 or name not in ("From", "Subject"):
            return str(super().fold(name, value))
        if name == "Subject":
            return f"Subject: {_encoded(str(value), after=name)}\r\n"
        [sender] = value.addresses
        if sender.display_name.isascii():
            return f"From: {formataddr((sender.display_name, sender.addr_spec))}\r\n"
        return f"From: {_encoded(sender.display_name, after=name)}\r\n <{sender.addr_spec}>\r\n"

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: ANN401 - as the library declares it
        """The same in bytes."""
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii", "surrogateescape")


def _encoded(text: str, *, after: str) -> str:
    """Plain text as it is, short enough for one line (998 characters, RFC 5322); other in words of 75 (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8", header_name=after).encode(linesep="\r\n")


def compose(notice: Notice, *, sender: Mailbox, recipient: Mailbox, now: datetime) -> EmailMessage:
    """The mail; each try to deliver the same notice has the same Message-ID, which is how readers drop a double."""
    message = EmailMessage(policy=_Policy(linesep="\r\n"))
    message["From"] = sender.header
    message["To"] = recipient.header
    message["Subject"] = subject(notice)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(notice, sender=sender)
    # Keeps holiday answers and the like from coming back (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    # In Base64 no line of a text is too long, and no relay has anything to wrap.
    message.set_content(plain(notice), cte="base64")
    message.add_alternative(html(notice), subtype="html", cte="base64")
    if notice.attachment is not None:
        _attach(message, notice.attachment)
    return message


def message_id(notice: Notice, *, sender: Mailbox) -> str:
    """The mail's name in the world."""
    return f"<{notice.id}.export-pipelines@{sender.domain}>"


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    guessed, encoding = mimetypes.guess_type(attachment.name)
    # What is compressed is no longer of the type that the rest of its name says.
    kind = guessed if guessed and not encoding else "application/octet-stream"
    main, _, sub = kind.partition("/")
    message.add_attachment(attachment.data, maintype=main, subtype=sub, filename=one_line(attachment.name))
