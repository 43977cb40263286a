"""One field of a binary COPY tuple, from PostgreSQL's bytes to a value or to text.

The forms are those of PostgreSQL's ``send`` functions: integers and floats big-endian, times as microseconds since
2000-01-01 UTC, jsonb as a version byte and the JSON text.

Every time in every format is written one way: ISO 8601, UTC, six decimals, ``2026-01-02T03:04:05.678900Z``; years
outside 0000 to 9999 with a sign and six digits (ISO 8601's expanded form), ``infinity`` and ``-infinity`` as PostgreSQL
has them.
"""

import struct
from collections.abc import Callable
from typing import Any

from export_pipelines.core.errors import IntegrityError

KEPT_TEXTS = 1 << 14
"""How many texts a cache holds before it starts anew: enough for what repeats, a few MB at most."""

_int4 = struct.Struct(">i").unpack
_int8 = struct.Struct(">q").unpack
_float8 = struct.Struct(">d").unpack
_INFINITE = {b"\x7f" + b"\xff" * 7: b"infinity", b"\x80" + b"\x00" * 7: b"-infinity"}
_DIGITS = [b"%03d" % number for number in range(1000)]
_DIGITS_AND_ZONE = [b"%03dZ" % number for number in range(1000)]
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
    return Timestamps().text(field).decode()


class Texts(dict[bytes, bytes]):
    """Fields to their text by a function, each worked out once while it is among the last :data:`KEPT_TEXTS`."""

    def __init__(self, make: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, field: bytes) -> bytes:
        if len(self) >= KEPT_TEXTS:
            self.clear()
        made = self[field] = self._make(field)
        return made


def int_texts() -> Texts:
    """``int4`` fields to decimal digits."""
    return Texts(lambda field: b"%d" % int4(field))


def float_texts() -> Texts:
    """``float8`` fields to the shortest digits that read back equal; ``NaN``, ``Infinity``, ``-Infinity``."""
    return Texts(_float_text)


class Timestamps(dict[int, bytes]):
    """``timestamptz`` fields to text, by :meth:`text`; whole seconds are kept, since rows of a second come together."""

    def text(self, field: bytes) -> bytes:
        """The time, or PostgreSQL's word for an infinite one."""
        if field in _INFINITE:
            return _INFINITE[field]
        try:
            microseconds: int = _int8(field)[0]
        except struct.error as error:
            raise _damaged(field, "timestamptz") from error
        second, decimals = divmod(microseconds, 1_000_000)
        first_three, last_three = divmod(decimals, 1000)
        return self[second] + _DIGITS[first_three] + _DIGITS_AND_ZONE[last_three]

    def __missing__(self, second: int) -> bytes:
        if len(self) >= KEPT_TEXTS:
            self.clear()
        self[second] = made = _whole_second(second)
        return made


def _whole_second(second: int) -> bytes:
    days, of_day = divmod(second, _SECONDS_A_DAY)
    hours, minutes = divmod(of_day // 60, 60)
    year, month, day = _civil(days)
    years = b"%04d" % year if 0 <= year <= 9999 else b"%+07d" % year
    return b"%b-%02d-%02dT%02d:%02d:%02d." % (years, month, day, hours, minutes, of_day % 60)


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


def _float_text(field: bytes) -> bytes:
    number = float8(field)
    if number - number == 0:  # false for the three that are not finite
        return repr(number).encode()
    return b"NaN" if number != number else (b"Infinity" if number > 0 else b"-Infinity")  # noqa: PLR0124 NaN


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
