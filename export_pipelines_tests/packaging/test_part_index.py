"""A part's list of contents: read back as written, and refused when it is not."""

import tracemalloc

import pytest

from export_pipelines.core.archive import Absent, Member, Piece
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import StagedObject
from export_pipelines.packaging.part_index import MemberEntry, PartIndex, encode_member
from export_pipelines_tests.packaging.memory_staging import MemoryStaging

ENTRIES = [Member("b", b"x" * 90, record=True), Piece("r", b"1"), Absent("t2", "expired"), Absent("t1", "expired"),
           Member("a", b"")]  # fmt: skip


def test_lines_stand_in_the_order_that_the_whole_archive_needs() -> None:
    staging = MemoryStaging()
    staging.archive_part(0, ENTRIES)
    lines = staging.objects["part-0.index"].decode().splitlines()
    assert [line.split(":")[0] for line in lines] == ['{"format"', '{"name"', '{"id"', '{"id"', '{"name"', '{"name"']
    assert '"id":"t1"' in lines[2]
    assert '"name":"a"' in lines[4]
    assert '"record":true' in lines[5]


def test_many_members_stream_by_across_chunks() -> None:
    staging = MemoryStaging()
    members = [Member(f"folder/{number:06d}.md", b"x") for number in range(5000)]
    part = staging.archive_part(0, members)
    names = [entry.name for entry in PartIndex(staging.open_segment, staged=part.index).members(base=0)]
    assert names == [member.name for member in members]


def test_a_changed_list_is_refused_by_name() -> None:
    staging = MemoryStaging()
    part = staging.archive_part(0, ENTRIES)
    staging.objects["part-0.index"] = staging.objects["part-0.index"].replace(b'"size":90', b'"size":91')
    with pytest.raises(IntegrityError, match=r"part-0.index is not what was staged"):
        list(PartIndex(staging.open_segment, staged=part.index).members(base=0))


@pytest.mark.parametrize("data", [b"", b"{}\n", b'{"format":9}\n'])
def test_something_else_is_no_list(data) -> None:
    staging = MemoryStaging()
    staged: StagedObject = staging.put("other", data)
    with pytest.raises(IntegrityError, match="other is no list of contents"):
        PartIndex(staging.open_segment, staged=staged)


def test_a_line_takes_no_more_memory_than_its_bytes() -> None:
    # A part keeps a line for each of its members until it is whole; some encoders leave kilobytes behind each.
    entry = MemberEntry(name="run/x.md", at=0, packed=1, size=1, crc32=1, sha256="ab" * 32, method=8, record=True)
    tracemalloc.start()
    lines = [encode_member(entry) for _ in range(1000)]
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2 * sum(map(len, lines))
