"""Ids like the source application's: short lower-case text that sorts by time of creation."""

import os
import re
import time

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_PATTERN = re.compile(r"[a-z][0-9a-z]{1,63}")


def new_id() -> str:
    """A new id: ``c``, 9 base-36 digits of milliseconds, 15 random ones (77 bits).

    The shape is that of the cuids in the source application (25 characters, lower case, leading ``c``); the leading
    clock is what UUID version 7 (RFC 9562, section 5.7) does, and keeps index pages warm.
    """
    return "c" + _base36(time.time_ns() // 1_000_000, 9) + _base36(int.from_bytes(os.urandom(10), "big"), 15)


def looks_like_id(text: str) -> bool:
    """Whether the text could be an id or the beginning of one."""
    return _PATTERN.fullmatch(text) is not None


def _base36(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
