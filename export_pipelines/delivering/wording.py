"""The words of a mail: its subject, its plain text and its HTML, which say the same.

Everything that people chose (titles, names, errors, what they write to each other) is escaped for where it goes.
"""

from html import escape

from export_pipelines.core.deliveries import DeliveryEvent
from export_pipelines.core.sizes import bytes_shown
from export_pipelines.delivering.notices import Notice

SUBJECT_LENGTH = 150
_SUBJECTS = {
    DeliveryEvent.COMPLETED: "Export ready",
    DeliveryEvent.FAILED: "Export failed",
    DeliveryEvent.SHARED: "Export shared with you",
}

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font-family: sans-serif; color: #222">
<p>{opening}</p>
{message}{link}<table cellpadding="4" style="border-collapse: collapse">
{rows}
</table>
{remarks}</body>
</html>
"""
_ROW = '<tr><th align="left" valign="top">{}</th><td style="white-space: pre-wrap">{}</td></tr>'
_MESSAGE = '<blockquote style="white-space: pre-wrap; border-left: 3px solid #ccc; padding-left: 1em">{}</blockquote>\n'
_LINK = '<p><a href="{0}">Download the file</a></p>\n'


def subject(notice: Notice) -> str:
    """One line, whatever the title holds."""
    # Mail programs, and Python's own library, take this for the beginning of an encoded word (RFC 2047) and decode it.
    title = one_line(notice.title).replace("=?", "= ?")
    return f"{_SUBJECTS[notice.event]}: {title or notice.type}"[:SUBJECT_LENGTH].rstrip()


def plain(notice: Notice) -> str:
    """The text for readers without HTML."""
    facts = _facts(notice)
    width = max(len(label) for label, _ in facts) + 1
    lines = [_opening(notice), ""]
    if notice.message:
        # Marked line by line, so that nothing in it passes for what we say.
        lines += [*(f"> {line}".rstrip() for line in _readable(notice.message).split("\n")), ""]
    if notice.link:
        lines += ["Download the file:", notice.link, ""]
    lines += [f"{label + ':':<{width}} {_readable(value)}" for label, value in facts]
    lines += ["", *map(_readable, _remarks(notice))] if _remarks(notice) else []
    return "\n".join(lines) + "\n"


def html(notice: Notice) -> str:
    """The same as a page; nothing in it is fetched from anywhere."""
    return _PAGE.format(
        subject=_escaped(subject(notice)),
        opening=_escaped(_opening(notice)),
        message=_MESSAGE.format(_escaped(notice.message)) if notice.message else "",
        link=_LINK.format(_escaped(notice.link)) if notice.link else "",
        rows="\n".join(_ROW.format(_escaped(label), _escaped(value)) for label, value in _facts(notice)),
        remarks="".join(f"<p>{_escaped(remark)}</p>\n" for remark in _remarks(notice)),
    )


def one_line(text: str) -> str:
    """The text without line breaks, control characters and lone surrogates: what a header can hold."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())


def _opening(notice: Notice) -> str:
    title = one_line(notice.title) or notice.type
    if notice.event is DeliveryEvent.COMPLETED:
        return f"The export “{title}” is ready."
    if notice.event is DeliveryEvent.SHARED:
        return f"{one_line(notice.requested_by)} shares the export “{title}” with you."
    return f"The export “{title}” has failed and will not be tried again by itself."


def _facts(notice: Notice) -> list[tuple[str, str]]:
    """What is known, with its label."""
    expires = notice.expires_at and f"{notice.expires_at:%Y-%m-%d %H:%M} UTC"
    facts = {
        "File": notice.file_name,
        "Size": None if notice.size is None else bytes_shown(notice.size),
        "Records": None if notice.rows is None else str(notice.rows),
        "Available until": expires,
        "SHA-256": notice.checksum,
        "Reason": notice.error,
        "Type": notice.type,
        "Shared by" if notice.event is DeliveryEvent.SHARED else "Requested by": notice.requested_by,
        "Job": notice.job_id,
    }
    return [(label, value) for label, value in facts.items() if value]


def _remarks(notice: Notice) -> list[str]:
    remarks = [notice.remark] if notice.remark else []
    if notice.event is DeliveryEvent.SHARED:
        remarks.append("Each download is counted, and whoever shares the file can end that at any time.")
    if notice.link:
        remarks.append("Whoever has the link can download the file: pass it on with care.")
    return remarks


def _escaped(text: str) -> str:
    return escape(_readable(text), quote=True)


def _readable(text: str) -> str:
    """The text without what neither HTML nor mail can hold; line breaks and tabs stay."""
    kept = ("\n", "\t")
    return "".join(
        character if character in kept or character.isprintable() else " " for character in text.replace("\r\n", "\n")
    )
