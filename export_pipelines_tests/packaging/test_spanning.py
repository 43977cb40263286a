"""Spanning members: runs of several parts joined without deflating again."""

import hashlib
import io
import zlib
from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.archive import Piece
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Segment
from export_pipelines.packaging.layout import Layout
from export_pipelines.packaging.part_index import MemberEntry, PartIndex
from export_pipelines.packaging.segments import SpanningDigests
from export_pipelines.packaging.spanning import place_spanning
from export_pipelines_tests.packaging.memory_staging import MemoryStaging


def placed(
    staging: MemoryStaging, shards: list[list[Piece]], digests: SpanningDigests | None = None
) -> tuple[bytes, list[MemberEntry]]:
    parts = [staging.archive_part(index, pieces, digests=digests) for index, pieces in enumerate(shards)]
    indexes = [PartIndex(staging.open_segment, staged=part.index) for part in parts]
    layout = Layout()
    members = place_spanning(staging.open_segment, layout, indexes=indexes, bodies=[part.body for part in parts])
    return staging.join(layout.finish(staging.stage, name="frame")), members


SHARDS = st.lists(
    st.lists(st.builds(Piece, name=st.sampled_from("ab"), data=st.binary(max_size=2000)), max_size=4), max_size=4
)


@given(shards=SHARDS)
def test_pieces_join_in_order_of_part_then_of_emission(shards) -> None:
    data, members = placed(MemoryStaging(), shards)
    expected: dict[str, bytes] = {}
    for piece in (piece for shard in shards for piece in shard):
        expected[piece.name] = expected.get(piece.name, b"") + piece.data
    assert [member.name for member in members] == sorted(expected)
    for member in members:
        start = member.at + 30 + len(member.name)
        content = zlib.decompress(data[start : start + member.packed], -15)
        assert content == expected[member.name]
        assert (member.size, member.crc32) == (len(content), zlib.crc32(content))
        assert member.sha256 == hashlib.sha256(content).hexdigest()


@given(shards=SHARDS)
def test_parts_written_one_after_the_other_are_not_read_again_and_give_the_same(shards) -> None:
    class NotToBeRead(MemoryStaging):
        def open_segment(self, segment: Segment) -> AbstractContextManager[io.BytesIO]:
            assert segment.key.endswith(".index")
            return super().open_segment(segment)

    assert placed(NotToBeRead(), shards, SpanningDigests()) == placed(MemoryStaging(), shards)


def test_a_damaged_run_is_refused_by_name() -> None:
    staging = MemoryStaging()
    parts = [staging.archive_part(index, [Piece("all.jsonl", b"words " * 500)]) for index in (0, 1)]
    indexes = [PartIndex(staging.open_segment, staged=part.index) for part in parts]
    staging.objects["part-1"] = b"\x07" + staging.objects["part-1"][1:]
    with pytest.raises(IntegrityError, match=r"all\.jsonl cannot be joined: .*; render its parts again"):
        place_spanning(staging.open_segment, Layout(), indexes=indexes, bodies=[part.body for part in parts])


def test_a_run_of_another_length_than_stated_is_refused() -> None:
    staging = MemoryStaging()
    part = staging.archive_part(0, [Piece("all.jsonl", b"x" * 10)])
    index = PartIndex(staging.open_segment, staged=part.index)
    staging.objects["part-0"] = zlib.compress(b"y" * 10, wbits=-15)[:-1].ljust(part.body.size, b"\0")
    with pytest.raises(IntegrityError, match=r"all\.jsonl"):
        place_spanning(staging.open_segment, Layout(), indexes=[index], bodies=[part.body])
