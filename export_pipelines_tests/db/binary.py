"""An independent reader of binary COPY tuples, written from PostgreSQL's description of the format."""

import json
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from export_pipelines.core.frozen import Column

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def decode(type_: str, data: bytes) -> Any:
    if type_ == "text":
        return data.decode()
    if type_ == "jsonb":
        assert data[0] == 1
        return json.loads(data[1:])
    if type_ == "timestamptz":
        return EPOCH + timedelta(microseconds=struct.unpack("!q", data)[0])
    return struct.unpack({"int4": "!i", "int8": "!q", "float8": "!d", "bool": "!?"}[type_], data)[0]


def read_tuple(data: bytes, columns: Sequence[Column]) -> dict[str, Any]:
    """One message as one row; fails unless the message is one tuple, and all of it."""
    (fields,) = struct.unpack_from("!h", data)
    assert fields == len(columns)
    offset, row = 2, {}
    for column in columns:
        (size,) = struct.unpack_from("!i", data, offset)
        offset += 4
        row[column.name] = None if size < 0 else decode(column.type, data[offset : offset + size])
        offset += max(size, 0)
    assert offset == len(data)
    return row


def read_tuples(messages: Iterable[bytes], columns: Sequence[Column]) -> list[dict[str, Any]]:
    return [read_tuple(message, columns) for message in messages]
