"""The streaming ZIP reader agrees with Python's zipfile, and is strict where that is lenient."""

import io
import zipfile

import pytest
from hypothesis import given

from export_pipelines.core.archive import Member
from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.zip_reader import read_content, read_directory
from export_pipelines_tests.packaging.archive_entries import shards
from export_pipelines_tests.packaging.memory_staging import make_archive


@given(parts=shards())
def test_it_finds_what_zipfile_finds(parts) -> None:
    data, _ = make_archive(parts)
    archive, source = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO(data)
    found = list(read_directory(source))
    assert [(one.name, one.size, one.packed, one.crc32, one.at) for one in found] == [
        (info.filename, info.file_size, info.compress_size, info.CRC, info.header_offset) for info in archive.infolist()
    ]
    for member in found:
        assert b"".join(read_content(source, member)) == archive.read(member.name)


DATA = make_archive([[Member("a.md", b"words " * 50), Member("b.md", b"x")]])[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no end record"),
        (DATA + b"\0", "no end record"),
        (DATA[:-3] + b"\1" + DATA[-2:], "no end record|damaged"),
        (DATA.replace(b"PK\1\2", b"PK\1\3", 1), "directory is damaged"),
    ],
)
def test_a_directory_that_is_not_whole_is_refused(data, reason) -> None:
    with pytest.raises(IntegrityError, match=reason):
        list(read_directory(io.BytesIO(data)))


def test_an_archive_of_another_program_is_not_taken_for_ours() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.md", b"words")
    with pytest.raises(IntegrityError, match=r"line for member a\.md was changed"):
        list(read_directory(buffer))
