"""Choices that look random and never change: SHA-256 of what is chosen for, in place of a random generator.

Python's own generator promises its sequence only for some methods and versions; a digest is the same for ever.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def fixed_id(kind: str, key: str) -> str:
    """The id of a seeded row: shaped like :func:`export_pipelines.core.ids.new_id`'s, but the same for ever."""
    return "c" + _base36(_number("id", kind, key), 24)


def fixed_timed_id(kind: str, key: str, moment: datetime) -> str:
    """The same for rows whose ids shall sort by time, as new ones do."""
    return "c" + _base36(int(moment.timestamp() * 1000), 9) + _base36(_number("id", kind, key), 15)


def pick(items: Sequence[T], *key: object) -> T:
    """One of the items, always the same one for the key."""
    return items[_number("pick", *key) % len(items)]


def between(low: float, high: float, *key: object) -> float:
    """A number from ``low`` up to ``high``, always the same one for the key."""
    return low + (high - low) * ((_number("between", *key) % 1_000_000) / 1_000_000)


def _number(*key: object) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, key)).encode()).digest())


def _base36(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
