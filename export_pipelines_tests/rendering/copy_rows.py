"""Binary COPY tuples made by hand from Python values, as PostgreSQL would send them."""

import json
import struct
from datetime import UTC, datetime

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Jsonb:
    """A value that travels as jsonb; ``text`` where the exact JSON text matters."""

    def __init__(self, value=None, *, text=None):
        self.text = json.dumps(value, ensure_ascii=False) if text is None else text


class Big(int):
    """An integer that travels as int8."""


SEND = {
    bytes: bytes,
    bool: lambda value: b"\x01" if value else b"\x00",
    int: lambda value: struct.pack(">i", value),
    Big: lambda value: struct.pack(">q", value),
    float: lambda value: struct.pack(">d", value),
    datetime: lambda value: struct.pack(">q", (value - EPOCH) // EPOCH.resolution),
    Jsonb: lambda value: b"\x01" + value.text.encode("utf-8", "surrogatepass"),
    str: lambda value: value.encode("utf-8"),
}


def field(value):
    return None if value is None else SEND[type(value)](value)


def row(*values):
    return tuple(field(value) for value in values)


def copy_tuple(fields):
    parts = [struct.pack(">h", len(fields))]
    for item in fields:
        parts.append(struct.pack(">i", -1) if item is None else struct.pack(">i", len(item)) + item)
    return b"".join(parts)
