"""Choices that look random and never change: SHA-256 of what is chosen for, in place of a random generator.

Python's own generator promises its sequence only for some methods and versions; a digest is the same for ever.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def fixed_id(kind: str, key: str) -> str:
    """The id of a seeded row: shaped like :func:`export_pipelines.core.ids.new_id`'s, but the same for ever."""
    number = _number("id", kind, key)
    digits = []
    for _ in range(24):
        number, digit = divmod(number, 36)
        digits.append(_ALPHABET[digit])
    return "c" + "".join(digits)


def pick(items: Sequence[T], *key: object) -> T:
    """One of the items, always the same one for the key."""
    return items[_number("pick", *key) % len(items)]


def between(low: float, high: float, *key: object) -> float:
    """A number from ``low`` up to ``high``, always the same one for the key."""
    return low + (high - low) * ((_number("between", *key) % 1_000_000) / 1_000_000)


def _number(*key: object) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, key)).encode()).digest())
