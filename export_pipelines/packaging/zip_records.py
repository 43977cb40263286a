"""The records of a ZIP file as bytes, ZIP64 where a number needs it (APPNOTE 6.3.10, sections 4.3 and 4.5.3).

Nothing varies but what the member itself says: every time is the earliest that ZIP can hold, every name is flagged
UTF-8, every file is ``rw-r--r--``.
"""

import struct

STORED = 0
DEFLATED = 8

LIMIT_16 = 0xFFFF
LIMIT_32 = 0xFFFFFFFF
"""Numbers from here on do not fit the plain field: it holds all ones, and the ZIP64 record the number."""

_UTF8 = 0x0800
_TIME, _DATE = 0, 0x0021  # 1980-01-01 00:00:00
_PLAIN, _ZIP64 = 20, 45
_MADE_ON_UNIX = 3 << 8
_MODE = 0o100644 << 16

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")


def local_header(name: bytes, *, method: int, crc32: int, packed: int, size: int) -> bytes:
    """What stands before a member's data."""
    # The local ZIP64 record must hold both sizes, even when only one needs it (4.5.3).
    extra = struct.pack("<2H2Q", 1, 16, size, packed) if max(size, packed) >= LIMIT_32 else b""
    if extra:
        packed = size = LIMIT_32
    version = _ZIP64 if extra else _PLAIN
    fixed = LOCAL.pack(
        b"PK\3\4", version, _UTF8, method, _TIME, _DATE, crc32, packed, size, len(name), len(extra)
    )  # fmt: skip
    return fixed + name + extra


def central_entry(name: bytes, *, method: int, crc32: int, packed: int, size: int, offset: int) -> bytes:
    """A member's line in the directory; ``offset`` is that of its local header in the file."""
    large = [number for number in (size, packed, offset) if number >= LIMIT_32]
    extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    version = _ZIP64 if large else _PLAIN
    fixed = CENTRAL.pack(
        b"PK\1\2", _MADE_ON_UNIX | version, version, _UTF8, method, _TIME, _DATE, crc32,
        min(packed, LIMIT_32), min(size, LIMIT_32), len(name), len(extra), 0, 0, 0, _MODE, min(offset, LIMIT_32),
    )  # fmt: skip
    return fixed + name + extra


def end_of_directory(*, entries: int, size: int, offset: int) -> bytes:
    """What closes the file: ``entries`` lines of directory, ``size`` bytes from ``offset``."""
    plain = END.pack(
        b"PK\5\6", 0, 0, min(entries, LIMIT_16), min(entries, LIMIT_16), min(size, LIMIT_32), min(offset, LIMIT_32), 0
    )
    if entries < LIMIT_16 and size < LIMIT_32 and offset < LIMIT_32:
        return plain
    large = END_64.pack(
        b"PK\6\6", END_64.size - 12, _MADE_ON_UNIX | _ZIP64, _ZIP64, 0, 0, entries, entries, size, offset
    )
    return large + LOCATOR_64.pack(b"PK\6\7", 0, offset + size, 1) + plain
