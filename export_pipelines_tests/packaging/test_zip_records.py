"""ZIP records: ZIP64 exactly from the numbers on that need it, read back by Python's zipfile."""

import io
import struct
import zipfile

import pytest

from export_pipelines.packaging.zip_records import STORED, central_entry, end_of_directory, local_header

LIMIT = 0xFFFFFFFF


def directory_of(entry: bytes, *, entries: int = 1) -> zipfile.ZipInfo:
    """What zipfile reads from a file that has nothing but this directory."""
    data = entry + end_of_directory(entries=entries, size=len(entry), offset=0)
    return zipfile.ZipFile(io.BytesIO(data)).infolist()[0]


@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 1 << 40])
@pytest.mark.parametrize("packed", [0, LIMIT - 1, LIMIT, 1 << 33])
@pytest.mark.parametrize("offset", [0, LIMIT - 1, LIMIT, 1 << 35])
def test_zipfile_reads_sizes_and_offsets_of_any_length(size, packed, offset) -> None:
    entry = central_entry(b"a/b.md", method=8, crc32=0xDEADBEEF, packed=packed, size=size, offset=offset)
    info = directory_of(entry)
    assert (info.file_size, info.compress_size, info.header_offset) == (size, packed, offset)
    assert (info.filename, info.CRC, info.compress_type) == ("a/b.md", 0xDEADBEEF, 8)
    large = max(size, packed, offset) >= LIMIT
    assert info.extract_version == (45 if large else 20)
    assert bool(info.extra) == large


def test_the_local_header_states_both_sizes_when_one_needs_zip64() -> None:
    header = local_header(b"n", method=STORED, crc32=7, packed=5, size=1 << 33)
    assert header.endswith(struct.pack("<2H2Q", 1, 16, 1 << 33, 5))
    assert header[18:26] == b"\xff" * 8
    assert local_header(b"n", method=STORED, crc32=7, packed=5, size=5)[26:] == b"\1\0\0\0n"


def test_names_are_flagged_utf_8_and_nothing_varies() -> None:
    info = directory_of(central_entry("é/日.md".encode(), method=8, crc32=0, packed=0, size=0, offset=0))
    assert info.filename == "é/日.md"
    assert info.flag_bits == 0x800
    assert info.date_time == (1980, 1, 1, 0, 0, 0)
    assert info.create_system == 3
    assert info.external_attr == 0o100644 << 16


@pytest.mark.parametrize(
    ("entries", "size", "offset", "large"),
    [
        (0, 0, 0, False),
        (65_534, 1, 1, False),
        (65_535, 1, 1, True),
        (1_000_000, 1, 1, True),
        (1, LIMIT - 1, 1, False),
        (1, LIMIT, 1, True),
        (1, 1, LIMIT - 1, False),
        (1, 1, LIMIT, True),
    ],
)
def test_the_end_record_has_a_zip64_twin_only_when_needed(entries, size, offset, large) -> None:
    end = end_of_directory(entries=entries, size=size, offset=offset)
    assert (len(end) == 22) is not large
    if large:
        assert struct.unpack_from("<2Q", end, 32) == (entries, size)
        assert struct.unpack_from("<Q", end, 48) == (offset,)
        assert struct.unpack_from("<4sLQL", end, 56) == (b"PK\6\7", 0, offset + size, 1)
