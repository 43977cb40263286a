"""The responses of a transcript as one text, from what the projection left of its content."""

from collections.abc import Sequence

import orjson

from export_pipelines.core.errors import ContentError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.transcripts import read_turns
from export_pipelines.rendering import fields
from export_pipelines.rendering.json_text import REPLACEMENT
from export_pipelines.rendering.stored_content import parse

BETWEEN = "\n\n---\n\n"
"""Stands between the responses of two turns."""


class Responses:
    """Reads the column ``responses``: an array of texts (null where a turn has none), content to be read, or NULL."""

    def __init__(self, column: str, report: FidelityReport) -> None:
        self._where = f"column {column}"
        self._report = report

    def text(self, field: bytes | None, id_: bytes) -> bytes | None:
        """All responses, joined; None when the content has expired, which is noted.

        Raises:
            ContentError: the content has an unknown version or a wrong shape.
        """
        if field is None:
            detail = "the transcript's content has expired; the cell is empty"
            self._report.note("content_expired", self._where, detail, example=id_.decode())
            return None
        stored = fields.jsonb(field)
        try:
            value = orjson.loads(stored)
        except orjson.JSONDecodeError:
            value = parse(stored, transcript_id=id_.decode(), where=self._where, report=self._report)
        texts = value if value.__class__ is list else _targets(value, id_)
        try:
            text = BETWEEN.join(texts).encode()
        except TypeError:
            text = BETWEEN.join(_without_nulls(texts, id_)).encode()
        # Looked for in the bytes: in a text with wide characters every other byte is 0, which makes the search slow.
        return self._without_nul(text, id_) if b"\x00" in text else text

    def _without_nul(self, text: bytes, id_: bytes) -> bytes:
        detail = "NUL characters, at which many readers end the cell, are replaced by U+FFFD"
        self._report.note("nul_character", self._where, detail, example=id_.decode())
        return text.replace(b"\x00", REPLACEMENT.encode())


def _targets(content: object, id_: bytes) -> Sequence[str]:
    where = f"transcript {id_.decode()}"
    if not isinstance(content, dict):
        raise ContentError(f"{where} has content that is no object; correct the row.")
    return [turn.target for turn in read_turns(content, where=where)]


def _without_nulls(texts: Sequence[object], id_: bytes) -> list[str]:
    """The texts, an empty one for each turn that has no response."""
    kept = ["" if text is None else text for text in texts]
    for text in kept:
        if not isinstance(text, str):
            raise ContentError(
                f"transcript {id_.decode()} has {type(text).__name__} where a response's text belongs; correct the row."
            )
    return [str(text) for text in kept]
