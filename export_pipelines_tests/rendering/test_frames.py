import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.rendering import frames
from export_pipelines.rendering.frames import read_frames
from export_pipelines_tests.rendering.copy_rows import copy_tuple

FIELDS = st.one_of(st.none(), st.binary(max_size=40))


@st.composite
def rows_of_one_width(draw):
    width = draw(st.integers(1, 5))
    return draw(st.lists(st.tuples(*[FIELDS] * width), max_size=12))


def cut(data, points):
    edges = [0, *sorted(point % (len(data) + 1) for point in points), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(rows_of_one_width(), st.lists(st.integers(0, 10_000), max_size=20), st.integers(1, 64))
def test_rows_come_back_however_the_stream_is_cut(rows, points, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "BLOCK_BYTES", block)
        data = b"".join(map(copy_tuple, rows))
        assert list(read_frames(cut(data, points))) == rows
        assert list(read_frames(data[i : i + 1] for i in range(len(data)))) == rows


@given(rows_of_one_width().filter(bool), st.data())
def test_a_stream_that_ends_inside_a_row_is_an_error(rows, data):
    whole = b"".join(map(copy_tuple, rows))
    edges = {len(b"".join(map(copy_tuple, rows[:kept]))) for kept in range(len(rows) + 1)}
    end = data.draw(st.sampled_from([n for n in range(len(whole)) if n not in edges]))
    reader = read_frames([whole[:end]])
    with pytest.raises(IntegrityError, match=r"end inside row \d+"):
        list(reader)


@settings(max_examples=300)
@given(rows_of_one_width().filter(bool), st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_stream_gives_rows_of_one_width_or_an_integrity_error_and_nothing_else(rows, place, flip):
    data = bytearray(b"".join(map(copy_tuple, rows)))
    data[place % len(data)] ^= flip
    try:
        read = list(read_frames([bytes(data)]))
    except IntegrityError:
        return
    assert len({len(row) for row in read}) <= 1


def test_no_bytes_are_no_rows():
    assert list(read_frames([])) == []
    assert list(read_frames([b"", b""])) == []


def test_the_copy_trailer_does_not_belong_in_a_shard():
    with pytest.raises(IntegrityError, match="row 1 of the frozen rows has -1 fields"):
        list(read_frames([copy_tuple((b"x",)) + struct.pack(">h", -1)]))


def test_a_row_of_another_width_is_named():
    with pytest.raises(IntegrityError, match="row 2 of the frozen rows has 2 fields, where 1 belong"):
        list(read_frames([copy_tuple((b"x",)) * 2 + copy_tuple((b"x", b"y"))]))


def test_an_impossible_length_is_named():
    with pytest.raises(IntegrityError, match="row 0 of the frozen rows has a field of length -2"):
        list(read_frames([struct.pack(">hi", 1, -2)]))


def test_a_row_far_longer_than_a_block_is_read_in_few_steps():
    long = (b"a" * 5_000_000, None, b"z")
    data = copy_tuple(long) + copy_tuple((b"", b"", b""))
    chunks = (data[i : i + 8192] for i in range(0, len(data), 8192))
    assert list(read_frames(chunks)) == [long, (b"", b"", b"")]
