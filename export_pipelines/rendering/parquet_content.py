"""Stored content for a table: its text, legal for strict readers, and the model's responses picked out of it."""

from typing import Any

import msgspec

from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.transcripts import KNOWN_VERSIONS, read_turns
from export_pipelines.rendering.responses import BETWEEN
from export_pipelines.rendering.stored_content import JSONB_VERSION, content_text, parse

Text = bytes | memoryview


class _Turn(msgspec.Struct, rename="camel", gc=False):
    target_response: str | None = None


class _Content(msgspec.Struct, gc=False):
    schema_version: Any = 0
    turns: list[_Turn] | msgspec.UnsetType = msgspec.UNSET


# Skips all but the responses without building it, and checks every escape on the way.
_read = msgspec.json.Decoder(_Content).decode


def text_and_response(field: bytes, transcript_id: bytes, report: FidelityReport) -> tuple[Text, bytes]:
    """The JSON text of the content (a view of the field, where it can be), and all responses in it as one text.

    Raises:
        ContentError: the content has an unknown version or a wrong shape.
    """
    text = memoryview(field)[1:]
    try:
        content = _read(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _slowly(field, transcript_id, report)
    version, turns = content.schema_version, content.turns
    known = version.__class__ is int and version in KNOWN_VERSIONS and field[:1] == JSONB_VERSION
    if turns is msgspec.UNSET or not known:
        return _slowly(field, transcript_id, report)
    return text, BETWEEN.join([turn.target_response or "" for turn in turns]).encode()


def _slowly(field: bytes, transcript_id: bytes, report: FidelityReport) -> tuple[bytes, bytes]:
    """For shapes without turns, and for what strict readers refuse."""
    text, id_ = content_text(field, transcript_id, report), transcript_id.decode()
    content = parse(text, transcript_id=id_, where="content", report=FidelityReport())
    turns = read_turns(content, where=f"transcript {id_}")
    return text, BETWEEN.join(turn.target for turn in turns).encode()
