"""Binary COPY as a stream of tuples: the file's header and trailer taken off, the rows left as they came."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

# The format is section "Binary Format" of PostgreSQL's page on COPY: an 11-byte signature, 4 bytes of flags, the
# length of an extension, the extension; then tuples, each led by its number of fields; then a number of fields of -1.
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_EXTENSION = struct.Struct("!i")
_FIXED = len(_SIGNATURE) + 8
_TRAILER = b"\xff\xff"


def tuples(connection: psycopg.Connection[Any], statement: str, params: Mapping[str, Any] | None) -> Iterator[bytes]:
    """Run ``COPY ... TO STDOUT (FORMAT BINARY)``; PostgreSQL sends one message a row, and so do we.

    Parameters are merged into the statement by the driver, quoted as literals, because COPY takes none.
    """
    with connection.cursor() as cursor, cursor.copy(statement.encode(), params) as stream:
        messages = iter(stream)
        # The header travels in one message with the first row, or with the trailer when there is no row.
        message = _without_header(bytes(next(messages, b"")))
        while message != _TRAILER:
            if message:
                yield message
            message = bytes(next(messages, _TRAILER))
        # To the end of the stream, where the server's last word is: done, or an error.
        for _ in messages:
            pass


def _without_header(message: bytes) -> bytes:
    if not message.startswith(_SIGNATURE):
        raise psycopg.DataError("COPY did not begin with the signature of its binary format")
    (extension,) = _EXTENSION.unpack_from(message, _FIXED - 4)
    return message[_FIXED + extension :]
