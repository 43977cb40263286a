"""One field of a binary COPY tuple, from PostgreSQL's bytes to a value or to text.

The forms are those of PostgreSQL's ``send`` functions: integers and floats big-endian, times as microseconds since
2000-01-01 UTC, jsonb as a version byte and the JSON text.

Every time in every format is written one way: ISO 8601, UTC, six decimals, ``2026-01-02T03:04:05.678900Z``; years
outside 0000 to 9999 with a sign and six digits (ISO 8601's expanded form), ``infinity`` and ``-infinity`` as PostgreSQL
has them.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from orjson import dumps

from export_pipelines.core.errors import IntegrityError

KEPT_TEXTS = 1 << 15
"""How many texts a cache holds before it starts anew: enough for what repeats, a few MB at most."""

_int4 = struct.Struct(">i").unpack
_int8 = struct.Struct(">q").unpack
_float8 = struct.Struct(">d").unpack
_INFINITE = {b"\x7f" + b"\xff" * 7: b"infinity", b"\x80" + b"\x00" * 7: b"-infinity"}
_NON_FINITE = {"nan": b"NaN", "inf": b"Infinity", "-inf": b"-Infinity"}
_CLOCK = [b"%02d:%02d:" % divmod(minute, 60) for minute in range(24 * 60)]
_SECOND = [b"%02d." % number for number in range(60)]
_MILLIS = [b"%03d" % number for number in range(1000)]
_SECONDS_A_DAY = 86_400
_DAYS_TO_2000 = 730_425
"""Days from 0000-03-01 to 2000-01-01 in the Gregorian calendar extended backwards."""


def text(field: bytes) -> str:
    """A ``text`` value."""
    try:
        return field.decode()
    except UnicodeDecodeError as error:
        raise IntegrityError(f"a frozen text is not UTF-8 ({error}); read the database with UTF-8.") from error


def int4(field: bytes) -> int:
    """An ``int4`` value."""
    return int(_number(_int4, field, "int4"))


def int8(field: bytes) -> int:
    """An ``int8`` value."""
    return int(_number(_int8, field, "int8"))


def float8(field: bytes) -> float:
    """A ``float8`` value, which may be infinite or not a number."""
    return float(_number(_float8, field, "float8"))


def boolean(field: bytes) -> bool:
    """A ``bool`` value."""
    if field not in (b"\x00", b"\x01"):
        raise _damaged(field, "bool")
    return field == b"\x01"


def jsonb(field: bytes) -> bytes:
    """The JSON text of a ``jsonb`` value, on one line, as PostgreSQL writes it."""
    if field[:1] != b"\x01":
        raise _damaged(field[:1], "jsonb of version 1")
    return field[1:]


def timestamptz(field: bytes) -> str:
    """A ``timestamptz`` value in the one way that every format writes it."""
    _number(_int8, field, "timestamptz")
    return Timestamps().text(field).decode()


class Texts(dict[bytes | None, bytes]):
    """Fields to their text by a function, for what repeats from row to row."""

    def __init__(self, make: Callable[[bytes], bytes], *, null: bytes) -> None:
        super().__init__({None: null})
        self._make = make
        self._null = null

    def __missing__(self, field: bytes) -> bytes:
        if len(self) >= KEPT_TEXTS:
            self.clear()
            self[None] = self._null
        # A copy is as long as it has to be: orjson 3.13 leaves 4 KB reserved behind every text that it makes.
        self[field] = made = bytes(memoryview(self._make(field)))
        return made


def int_text(field: bytes) -> bytes:
    """An ``int4`` field as decimal digits."""
    return dumps(_int4(field)[0])


def float_text(field: bytes) -> bytes:
    """A ``float8`` field as the shortest digits that read back equal, as in JSON; empty when it is not finite."""
    number = _float8(field)[0]
    # Anything less itself is 0, but for the infinities and NaN.
    return dumps(number) if number - number == 0 else b""


def non_finite_text(field: bytes) -> bytes:
    """PostgreSQL's word for a ``float8`` that is not finite: ``NaN``, ``Infinity``, ``-Infinity``."""
    return _NON_FINITE[str(float8(field))]


class Timestamps(dict[int, bytes]):
    """``timestamptz`` fields to text, by :meth:`text`; keeps the days it has met.

    Args:
        quote: what stands before and after a time.
        null: what stands for NULL.
    """

    def __init__(self, *, quote: bytes = b"", null: bytes = b"") -> None:
        super().__init__()
        self._quote = quote
        self._null = null
        self._micros = [b"%03dZ%b" % (number, quote) for number in range(1000)]

    def text(self, field: bytes | None) -> bytes:
        """The time, or PostgreSQL's word for an infinite one."""
        if field is None:
            return self._null
        if field in _INFINITE:
            return self._quote + _INFINITE[field] + self._quote
        ticks: int = _int8(field)[0]
        seconds, decimals = divmod(ticks, 1_000_000)
        day, second = divmod(seconds, _SECONDS_A_DAY)
        whole = self[day] + _CLOCK[second // 60] + _SECOND[second % 60]
        return whole + _MILLIS[decimals // 1000] + self._micros[decimals % 1000]

    def __missing__(self, day: int) -> bytes:
        if len(self) >= KEPT_TEXTS:
            self.clear()
        year, month, day_of_month = _civil(day)
        years = b"%04d" % year if 0 <= year <= 9999 else b"%+07d" % year
        self[day] = made = b"%b%b-%02d-%02dT" % (self._quote, years, month, day_of_month)
        return made


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day counted from 2000-01-01; ``datetime`` ends at 9999, PostgreSQL at 294276.

    Years are counted from 1 March, so that the leap day is a year's last and months before it have a regular length.
    """
    era, of_era = divmod(days + _DAYS_TO_2000, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * of_year + 2) // 153
    day = of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    return year_of_era + era * 400 + (month <= 2), month, day


@contextmanager
def damaged_rows_named() -> Iterator[None]:
    """Around the work on many rows: a field of a wrong length or with bytes that are no text is an IntegrityError.

    The functions to ``bytes`` above raise ``struct.error``, since a check of their own would cost more than their work.
    """
    try:
        yield
    except (struct.error, UnicodeDecodeError) as error:
        raise IntegrityError(f"a frozen row is damaged ({error}); start the export again.") from error


def _number(unpack: Callable[[bytes], tuple[Any, ...]], field: bytes, type_: str) -> int | float:
    try:
        number: int | float = unpack(field)[0]
    except struct.error as error:
        raise _damaged(field, type_) from error
    return number


def _damaged(field: bytes, type_: str) -> IntegrityError:
    return IntegrityError(
        f"a frozen field of {len(field)} bytes is no {type_}; the shard is damaged or its projection changed, start "
        "the export again."
    )
