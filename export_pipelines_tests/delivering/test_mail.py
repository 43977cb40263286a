"""Mails as a mail program reads them, whatever people have called their things."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.deliveries import DeliveryEvent
from export_pipelines.core.errors import ValidationError
from export_pipelines.delivering.addresses import read_sender
from export_pipelines.delivering.mail import compose
from export_pipelines.delivering.notices import Attachment
from export_pipelines.delivering.wording import one_line, subject
from export_pipelines_tests.delivering.samples import NOW, RECIPIENT, SENDER, notice

HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
TAGS = {"html", "head", "meta", "title", "body", "p", "a", "table", "tr", "th", "td", "blockquote"}
HOSTILE = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            ["\r\n", "\n", "Bcc: eve@example.org", "<script>", "</td>", "&amp;", '"', "'", "\x00", "\ud800", "\u2028",
             "é", "字", "=?utf-8?q?x?=", ".", "{}", "%s", "javascript:", " " * 80, "x" * 90]
        ),
        max_size=12,
    ).map("".join),
)  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of the HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(**fields: Any) -> EmailMessage:
    """The mail after its way through the world."""
    sent = compose(notice(**fields), sender=SENDER, recipient=RECIPIENT, now=NOW)
    message = message_from_bytes(sent.as_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body([kind])
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def test_text_and_html_say_the_same_of_a_file_that_is_ready() -> None:
    message = read()
    assert message["From"] == '"Exporte, für alle" <exports@example.org>'
    assert (message["To"], message["Subject"]) == ("ada@example.net", "Export ready: Bulk CSV: Courtyard")
    assert message["Message-ID"] == "<c0delivery.export-pipelines@example.org>"
    assert message.get_content_type() == "multipart/alternative"
    text, page = body(message, "plain"), Page(body(message, "html"))
    for fact in ("run.csv", "34.6 KiB", "93", "2026-03-01 12:00 UTC", "ab" * 32, "Ada", "c0job", "BULK_CSV"):
        assert fact in text
        assert fact in page.text
    assert "https://exports.example.org/downloads/TOKEN" in text
    assert [facts["href"] for tag, facts in page.tags if tag == "a"] == ["https://exports.example.org/downloads/TOKEN"]
    assert not list(message.iter_attachments())


def test_of_a_failed_export_the_reason_is_told_and_nothing_that_it_has_not() -> None:
    fields = dict.fromkeys(("file_name", "size", "rows", "checksum", "expires_at", "link"))
    message = read(event=DeliveryEvent.FAILED, error="the run was deleted; choose another.", **fields)
    assert message["Subject"] == "Export failed: Bulk CSV: Courtyard"
    text = body(message, "plain")
    assert "the run was deleted; choose another." in text
    assert not any(label in text for label in ("None", "Size", "Download", "Available"))


def test_a_file_goes_along_with_its_name_type_and_bytes() -> None:
    data = bytes(range(256)) * 20
    message = read(attachment=Attachment(name="läufe, alle.csv", data=data))
    [part] = message.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("läufe, alle.csv", "text/csv")
    assert part.get_payload(decode=True) == data
    [packed] = read(attachment=Attachment(name="run.csv.gz", data=data)).iter_attachments()
    assert packed.get_content_type() == "application/octet-stream"
    assert body(message, "html")


def test_a_remark_stands_in_both() -> None:
    message = read(remark="The file is not attached: it has 9.0 MiB.")
    assert all("not attached: it has 9.0 MiB" in body(message, kind) for kind in ("plain", "html"))


def test_of_a_shared_file_the_recipient_hears_who_shares_it_and_what_they_say() -> None:
    message = read(event=DeliveryEvent.SHARED, requested_by="Ada", message="Here it is.\nSee column 3.")
    assert message["Subject"] == "Export shared with you: Bulk CSV: Courtyard"
    text, page = body(message, "plain"), Page(body(message, "html"))
    assert text.startswith(
        "Ada shares the export “Bulk CSV: Courtyard” with you.\n\n> Here it is.\n> See column 3.\n\n"
    )
    assert "Here it is.\nSee column 3." in page.text
    for fact in ("run.csv", "34.6 KiB", "2026-03-01 12:00 UTC", "Shared by", "can end that at any time"):
        assert fact in text
        assert fact in page.text


@given(HOSTILE, HOSTILE)
def test_nothing_that_somebody_shares_with_passes_for_what_we_say(sender: str, said: str) -> None:
    message = read(event=DeliveryEvent.SHARED, requested_by=sender, message=said)
    assert [key for key, _ in message.items()] == HEADERS
    before, link, _ = body(message, "plain").partition(
        "Download the file:\nhttps://exports.example.org/downloads/TOKEN"
    )
    assert link
    opening, _, *quoted = before.split("\n")
    assert opening.endswith("shares the export “Bulk CSV: Courtyard” with you.")
    assert all(line.startswith(">") for line in quoted if line)
    page = Page(body(message, "html"))
    assert {tag for tag, _ in page.tags} <= TAGS
    assert [facts["href"] for tag, facts in page.tags if tag == "a"] == ["https://exports.example.org/downloads/TOKEN"]
    assert one_line(said) in one_line(page.text)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_whatever_things_are_called_the_headers_are_ours_alone(title: str, name: str, error: str) -> None:
    message = read(title=title, requested_by=name, error=error, file_name=name)
    assert [key for key, _ in message.items()] == HEADERS
    assert message["Subject"] == subject(notice(title=title))
    assert message["To"] == "ada@example.net"
    assert all(line.isascii() and len(line) <= 998 for line in message.as_bytes().decode("ascii").splitlines())


@given(HOSTILE, HOSTILE)
def test_whatever_things_are_called_the_page_has_our_tags_alone_and_shows_the_text(title: str, error: str) -> None:
    page = Page(body(read(title=title, error=error, remark=error), "html"))
    assert {tag for tag, _ in page.tags} <= TAGS
    assert {name for _, facts in page.tags for name in facts} <= {"lang", "charset", "style", "cellpadding", "align",
                                                                  "valign", "href"}  # fmt: skip
    shown = one_line(page.text)
    assert one_line(error) in shown
    assert one_line(title) in shown


@given(HOSTILE)
def test_an_attachment_may_be_called_anything(name: str) -> None:
    message = read(attachment=Attachment(name=name, data=b"data"))
    [part] = message.iter_attachments()
    assert part.get_payload(decode=True) == b"data"
    assert [key for key, _ in message.items()] == HEADERS


@given(HOSTILE)
def test_a_sender_may_be_called_anything_that_the_setting_takes(name: str) -> None:
    try:
        sender = read_sender(f"{name.replace('<', '').replace('>', '')} <exports@example.org>")
    except ValidationError:
        return
    sent = compose(notice(), sender=sender, recipient=RECIPIENT, now=NOW)
    # Read the older way, since Python's newer one leaves a blank between the words of a long name.
    message = message_from_bytes(sent.as_bytes())
    assert [key for key, _ in message.items()] == HEADERS
    shown, address = parseaddr(message["From"])
    assert (str(make_header(decode_header(shown))), address) == (sender.name, "exports@example.org")
