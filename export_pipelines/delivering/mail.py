"""From a notice to a mail: headers, text, HTML, and the file when it goes along."""

import mimetypes
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from export_pipelines.delivering.addresses import Mailbox
from export_pipelines.delivering.notices import Attachment, Notice
from export_pipelines.delivering.wording import html, one_line, plain, subject


def compose(notice: Notice, *, sender: Mailbox, recipient: Mailbox, now: datetime) -> EmailMessage:
    """The mail; each try to deliver the same notice has the same Message-ID, which is how readers drop a double."""
    message = EmailMessage(policy=SMTP)
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
