"""A transcript's content as it was stored: its version checked, its text made legal, parsed only when asked for."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import orjson

from export_pipelines.core.errors import ContentError, IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.transcripts import KNOWN_VERSIONS, Turn, content_version, read_turns
from export_pipelines.rendering import fields
from export_pipelines.rendering.json_text import SURROGATE_DETAIL, SURROGATE_KIND, mend

JSONB_VERSION = b"\x01"


class _Version(msgspec.Struct):
    schema_version: Any = 0


# Decoding into a record of one field skips all others without building them, yet checks every escape on the way: it
# finds an unknown version and a lone surrogate at 4 GB/s, where a search for either alone is slower.
_read_version = msgspec.json.Decoder(_Version).decode


class WholeTurn(
    msgspec.Struct,
    gc=False,
    rename={"number": "turnNumber", "label": "promptLabel", "probe": "probePrompt", "target": "targetResponse"},
):
    """A turn as nearly all are stored, with everything of the right type; as good as a ``Turn``."""

    number: int
    label: Annotated[str, msgspec.Meta(min_length=1)]
    probe: str
    target: str


class _WholeTurns(msgspec.Struct):
    turns: list[WholeTurn]
    schema_version: int = 0


_read_whole_turns = msgspec.json.Decoder(_WholeTurns).decode


def stored_turns(text: bytes, *, transcript_id: str) -> Sequence[Turn | WholeTurn]:
    """The dialogue of stored content in any shape; lone surrogates are replaced, and not noted.

    Raises:
        ContentError: unknown version, or wrong shape.
        IntegrityError: it is not JSON.
    """
    try:
        whole = _read_whole_turns(text)
    except (msgspec.MsgspecError, RecursionError):
        pass  # Something is missing, or of another type or shape: what that means is decided by reading all of it.
    else:
        if whole.schema_version in KNOWN_VERSIONS:
            return whole.turns
    value = parse(text, transcript_id=transcript_id, where="content", report=FidelityReport())
    if not isinstance(value, dict):
        raise ContentError(f"transcript {transcript_id} has content that is no object; correct the row.")
    return read_turns(value, where=f"transcript {transcript_id}")


def content_text(field: bytes, transcript_id: bytes, report: FidelityReport) -> bytes:
    """The stored JSON object, on one line, valid for strict readers.

    Raises:
        ContentError: it has an unknown version, or is no object.
    """
    text = field[1:] if field[:1] == JSONB_VERSION else fields.jsonb(field)
    try:
        version = _read_version(text).schema_version
    except (msgspec.MsgspecError, RecursionError):
        return _slowly(text, transcript_id.decode(), report)
    if version.__class__ is not int or version not in KNOWN_VERSIONS:
        content_version({"schema_version": version}, where=f"transcript {transcript_id.decode()}")
    return text


def parse(text: bytes, *, transcript_id: str, where: str, report: FidelityReport) -> Any:  # noqa: ANN401  any JSON value
    """Stored JSON as a value; a lone surrogate in it is replaced and noted at ``where``.

    Raises:
        ContentError: it is nested deeper than can be read.
        IntegrityError: it is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        text = _mended(text, transcript_id, where, report)
    try:
        return json.loads(text)  # also reads numbers that orjson finds too large
    except RecursionError as error:
        raise ContentError(f"transcript {transcript_id} has {where} nested too deeply to read; correct it.") from error
    except ValueError as error:
        raise IntegrityError(f"transcript {transcript_id} has {where} that is not JSON; export it again.") from error


def _slowly(text: bytes, transcript_id: str, report: FidelityReport) -> bytes:
    content = parse(text, transcript_id=transcript_id, where="content", report=FidelityReport())
    if not isinstance(content, dict):
        raise ContentError(f"transcript {transcript_id} has content that is no object; correct the row.")
    content_version(content, where=f"transcript {transcript_id}")
    return _mended(text, transcript_id, "content", report)


def _mended(text: bytes, transcript_id: str, where: str, report: FidelityReport) -> bytes:
    mended, count = mend(text)
    if count:
        report.note(SURROGATE_KIND, where, SURROGATE_DETAIL, example=transcript_id)
    return mended
