"""Archives beyond 4 GiB, made of holes: offsets and sizes that need ZIP64, read by other programs."""

import os
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from export_pipelines.core.archive import Member
from export_pipelines.core.frozen import Part, Segment, StagedObject
from export_pipelines.packaging.archive import ArchiveLayout, assemble
from export_pipelines.packaging.part_index import IndexHead, MemberEntry, RunEntry, encode_member, write_index
from export_pipelines.packaging.spanning import _Run, _totals
from export_pipelines.packaging.zip_reader import read_content, read_directory
from export_pipelines.packaging.zip_records import STORED, local_header
from export_pipelines_tests.packaging.memory_staging import MANIFEST, MemoryStaging

GIB = 1 << 30
FAR = 5 * GIB
"""Where the one member of the part with the hole lies."""


class SparseStaging(MemoryStaging):
    """Staging where one body begins with a hole of :data:`FAR` bytes."""

    HOLE = "part-hole"

    @contextmanager
    def open_segment(self, segment: Segment) -> Iterator[BinaryIO]:
        assert segment.key != self.HOLE, "the body of a part without runs is never read"
        with super().open_segment(segment) as source:
            yield source

    def part_with_hole(self, content: bytes) -> Part:
        entry = MemberEntry(
            name="far.md", at=FAR, packed=len(content), size=len(content), crc32=zlib.crc32(content), sha256="0" * 64,
            method=STORED, record=True,
        )  # fmt: skip
        header = local_header(b"far.md", method=STORED, crc32=entry.crc32, packed=entry.packed, size=entry.size)
        self.objects[self.HOLE] = header + content
        size = FAR + len(header) + len(content)
        head = IndexHead(whole_bytes=size, members=1, records=1, runs=0, absent=0)
        with self.stage("part-hole.index") as index:
            write_index(index, head=head, runs=[], absent=[], members=[("far.md", encode_member(entry))])
        body = StagedObject(key=self.HOLE, size=size, sha256="")
        return Part(shard_index=1, rows=1, records=1, body=body, index=index.staged, fidelity=())

    def write(self, segments: tuple[Segment, ...], path: Path) -> None:
        with path.open("wb") as file:
            for segment in segments:
                if segment.key == self.HOLE:
                    file.seek(FAR, os.SEEK_CUR)
                    file.write(self.objects[self.HOLE])
                else:
                    file.write(self.objects[segment.key][segment.offset : segment.offset + segment.size])


@pytest.fixture
def far_archive(tmp_path) -> Iterator[tuple[Path, ArchiveLayout]]:
    staging = SparseStaging()
    parts = [
        staging.archive_part(0, [Member("near.md", b"near" * 99)]),
        staging.part_with_hole(b"far away" * 40),
        staging.archive_part(2, [Member("last.md", b"last" * 99)]),
    ]
    layout = assemble(
        staging.open_segment, staging.stage, parts=parts, manifest_name=MANIFEST, manifest_head={"run": "r"}
    )
    path = tmp_path / "far.zip"
    staging.write(layout.segments, path)
    assert path.stat().st_size == layout.size > FAR
    yield path, layout
    path.unlink()


def test_zipfile_and_our_reader_read_members_beyond_4_gib(far_archive) -> None:
    path, layout = far_archive
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("far.md") == b"far away" * 40
        assert archive.read("near.md") == b"near" * 99
        assert archive.getinfo("last.md").header_offset > FAR
    with path.open("rb") as directory, path.open("rb") as data:
        found = {member.name: b"".join(read_content(data, member)) for member in read_directory(directory)}
    assert found["near.md"] == b"near" * 99
    assert len(found) == layout.members == 4


@pytest.mark.parametrize("command", [["unzip", "-tqq"], ["7z", "t", "-bd"]], ids=["unzip", "7z"])
def test_other_programs_read_members_beyond_4_gib(far_archive, command) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed here")
    done = subprocess.run([*command, str(far_archive[0])], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_spanning_member_of_more_than_4_gib_adds_up() -> None:
    run = _Run(
        entry=RunEntry(name="all.jsonl", at=0, packed=3 * GIB, size=5 * GIB, crc32=0x12345678),
        segment=Segment(key="part-1", offset=0, size=3 * GIB),
    )
    size, packed, _ = _totals([run, run])
    assert (size, packed) == (10 * GIB, 6 * GIB + 2)
    header = local_header(b"all.jsonl", method=8, crc32=1, packed=packed, size=size)
    assert header[4:6] == b"\x2d\0"
    assert len(header) == 30 + len("all.jsonl") + 20
