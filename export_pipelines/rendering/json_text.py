"""JSON as text: values written on one line, and stored text made legal where it is not."""

import json
import re
from typing import Any

import orjson

REPLACEMENT = "\ufffd"
"""Stands for what UTF-8 cannot hold: Unicode's own replacement character."""

SURROGATE_KIND = "lone_surrogate"
SURROGATE_DETAIL = "half of a UTF-16 pair, which no UTF-8 text can hold, is replaced by U+FFFD"

_SURROGATE = re.compile("[\ud800-\udfff]")
# An escaped backslash, a whole pair, or a half alone, in this order: JSON's escapes are read from the left.
_ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def encode(value: Any) -> bytes:  # noqa: ANN401  any JSON value
    """The value as JSON on one line, UTF-8, not escaped beyond what JSON asks for."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson refuses integers beyond 64 bits and lone surrogates
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return _SURROGATE.sub(REPLACEMENT, text).encode()


def encode_text(field: bytes) -> bytes:
    """A ``text`` field as a JSON string; ids, which need no escape, take a short way."""
    return b'"' + field + b'"' if field.isalnum() else orjson.dumps(field.decode())


def mend(text: bytes) -> tuple[bytes, int]:
    r"""JSON text with every lone ``\ud800`` replaced by ``\ufffd``, and how many there were; nothing else changes.

    jsonb never holds one, but json does, and strict readers refuse the whole line for it.
    """
    count = 0

    def replaced(found: re.Match[bytes]) -> bytes:
        nonlocal count
        if found[1] is None:
            return found[0]
        count += 1
        return rb"\ufffd"

    return _ESCAPES.sub(replaced, text), count
