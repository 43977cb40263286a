"""Reads a ZIP file of ours entry by entry in constant memory, and holds every record against how we write it.

Python's ``zipfile`` keeps about a kilobyte a member; a bundle may have a million of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.deflating import inflate
from export_pipelines.packaging.staging import CHUNK_BYTES
from export_pipelines.packaging.zip_records import (
    CENTRAL,
    DEFLATED,
    END,
    END_64,
    LIMIT_32,
    LOCATOR_64,
    STORED,
    central_entry,
    end_of_directory,
    local_header,
)


@dataclass(frozen=True, kw_only=True)
class FoundMember:
    """A member as the directory describes it; ``at`` is where its local header begins."""

    name: str
    method: int
    crc32: int
    packed: int
    size: int
    at: int


@dataclass(frozen=True, kw_only=True)
class _Directory:
    entries: int
    size: int
    offset: int


def read_directory(source: BinaryIO) -> Iterator[FoundMember]:
    """The members in the order of the directory.

    Raises:
        IntegrityError: the directory is damaged; members before the damage have been given.
    """
    directory = _find_directory(source)
    source.seek(directory.offset)
    at = directory.offset
    for _ in range(directory.entries):
        member, length = _read_line(source, at)
        yield member
        at += length
    if at != directory.offset + directory.size:
        raise IntegrityError(f"the directory ends at byte {at}, its end record says otherwise")


def read_content(source: BinaryIO, member: FoundMember) -> Iterator[bytes]:
    """The member's content, its CRC-32 not yet checked.

    Raises:
        IntegrityError: its local header or its data is damaged.
    """
    _pass_header(source, member)
    packed = _read_exactly(source, member.packed)
    if member.method == DEFLATED:
        return inflate(packed)
    if member.method == STORED:
        return packed
    raise IntegrityError(f"compression method {member.method} is none of ours")


def stored_at(source: BinaryIO, member: FoundMember) -> int:
    """Where in the file the content of a member lies that was left as it is.

    Raises:
        IntegrityError: its local header is damaged, or it is deflated.
    """
    if member.method != STORED:
        raise IntegrityError(f"member {member.name} is not stored as it is, so nothing in it can be looked up")
    return _pass_header(source, member)


def _pass_header(source: BinaryIO, member: FoundMember) -> int:
    """Go to where the member's data begins."""
    expected = local_header(
        member.name.encode(), method=member.method, crc32=member.crc32, packed=member.packed, size=member.size
    )
    source.seek(member.at)
    if source.read(len(expected)) != expected:
        raise IntegrityError(f"its local header at byte {member.at} and the directory disagree")
    return member.at + len(expected)


def _read_exactly(source: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left and (chunk := source.read(min(left, CHUNK_BYTES))):
        left -= len(chunk)
        yield chunk
    if left:
        raise IntegrityError("the data goes past the end of the file")


def _find_directory(source: BinaryIO) -> _Directory:
    end_at = source.seek(0, 2)
    tail = END_64.size + LOCATOR_64.size + END.size
    source.seek(max(0, end_at - tail))
    data = source.read(tail)
    for parse in (_parse_large_end, _parse_end):
        found = parse(data)
        if found:
            return found
    raise IntegrityError("there is no end record at the end of the file, or it was changed")


def _parse_large_end(data: bytes) -> _Directory | None:
    if len(data) < END_64.size or not data.startswith(b"PK\6\6"):
        return None
    *_, entries, size, offset = END_64.unpack_from(data)
    return _if_same(data, _Directory(entries=entries, size=size, offset=offset))


def _parse_end(data: bytes) -> _Directory | None:
    if len(data) < END.size:
        return None
    *_, entries, size, offset, _ = END.unpack(data[-END.size :])
    return _if_same(data[-END.size :], _Directory(entries=entries, size=size, offset=offset))


def _if_same(data: bytes, found: _Directory) -> _Directory | None:
    rebuilt = end_of_directory(entries=found.entries, size=found.size, offset=found.offset)
    return found if rebuilt == data else None


def _read_line(source: BinaryIO, at: int) -> tuple[FoundMember, int]:
    fixed = source.read(CENTRAL.size)
    if len(fixed) < CENTRAL.size or not fixed.startswith(b"PK\1\2"):
        raise IntegrityError(f"the directory is damaged at byte {at}")
    _, _, _, _, method, _, _, crc, packed, size, name_size, extra_size, *_, offset = CENTRAL.unpack(fixed)
    name = source.read(name_size)
    extra = source.read(extra_size)
    size, packed, offset = _from_zip64((size, packed, offset), extra, at)
    line = central_entry(name, method=method, crc32=crc, packed=packed, size=size, offset=offset)
    if line != fixed + name + extra:
        raise IntegrityError(f"the directory's line for member {name.decode(errors='replace')} was changed")
    return (
        FoundMember(name=name.decode(errors="replace"), method=method, crc32=crc, packed=packed, size=size, at=offset),
        len(line),
    )


def _from_zip64(numbers: tuple[int, int, int], extra: bytes, at: int) -> tuple[int, int, int]:
    """Fill in the numbers that did not fit the plain fields; the extra record has them in order, 8 bytes each."""
    large = [int.from_bytes(extra[start : start + 8], "little") for start in range(4, len(extra), 8)]
    if len(large) != sum(number == LIMIT_32 for number in numbers):
        raise IntegrityError(f"the directory is damaged at byte {at}")
    found = iter(large)
    size, packed, offset = (next(found) if number == LIMIT_32 else number for number in numbers)
    return size, packed, offset
