"""Which bytes a request wants (RFC 9110, section 14): all, one run of them, or a run that does not exist.

Several ranges in one request are answered with the whole, as the standard allows: nobody who fetches an export needs
them, and they are a known way to make a server work for nothing.
"""

import enum
import re
from dataclasses import dataclass

_SINGLE_RANGE = re.compile(r"(?i:bytes)=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Bytes ``start`` to ``end`` (not included) of a file, at least one."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.end - self.start


class Everything(enum.Enum):
    """The two answers that are no run of bytes."""

    WHOLE = "whole"
    NOTHING = "nothing"


Wanted = Span | Everything


def read_range(header: str | None, *, size: int) -> Wanted:
    """What a Range header asks of a file of this size; whatever cannot be understood asks for the whole.

    ``Everything.NOTHING`` means that no byte of the file is in the range: status 416.
    """
    match = _SINGLE_RANGE.fullmatch(header or "")
    if match is None or not (match[1] or match[2]):
        return Everything.WHOLE
    if not match[1]:
        start, end = max(size - int(match[2]), 0), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < start:
            return Everything.WHOLE
    return Span(start=start, end=end) if start < end else Everything.NOTHING


def same_file(if_range: str | None, *, etag: str | None, last_modified: str) -> bool:
    """Whether the condition of an If-Range header holds, so that the range may be answered; true without one."""
    return if_range is None or (if_range.strip() in (etag, last_modified))
