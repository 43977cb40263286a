"""Cursors: where a page of a list ended, as a text that clients hand back without reading it."""

import binascii
import struct
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from export_pipelines.core.errors import ValidationError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = struct.Struct(">q")
_CHECK = struct.Struct(">I")
_LONGEST = 1000


@dataclass(frozen=True, kw_only=True)
class Position:
    """The last thing on a page, in a list that is ordered by time and then by id."""

    at: datetime
    id: str


def cursor_of(position: Position) -> str:
    """The position as text of letters, digits, ``-`` and ``_``; the check sum in it is against typing errors."""
    since = (position.at - _EPOCH) // timedelta(microseconds=1)
    told = _TIME.pack(since) + position.id.encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(_CHECK.pack(zlib.crc32(told)) + told).rstrip(b"=").decode("ascii")


def read_cursor(text: str) -> Position:
    """The position again.

    Raises:
        ValidationError: the text is not what :func:`cursor_of` gave.
    """
    try:
        position = _read(text)
    except (ValueError, OverflowError, struct.error, binascii.Error) as error:
        raise _refused() from error
    if cursor_of(position) != text:
        raise _refused()
    return position


def _read(text: str) -> Position:
    if len(text) > _LONGEST:
        raise ValueError
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    (since,) = _TIME.unpack_from(data, _CHECK.size)
    id_ = data[_CHECK.size + _TIME.size :].decode("utf-8")
    if not id_ or "\x00" in id_:
        raise ValueError
    return Position(at=_EPOCH + timedelta(microseconds=since), id=id_)


def _refused() -> ValidationError:
    return ValidationError(
        "cursor is not one that a page of this list came with; leave it out to begin with the first page."
    )
