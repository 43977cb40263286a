"""SHA-256 of a file that exists as segments only."""

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Segment
from export_pipelines.packaging.digest import read_ahead, sha256_of
from export_pipelines_tests.packaging.memory_staging import MemoryStaging


@given(cuts=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 500_000), st.integers(0, 400_000)), max_size=5))
def test_the_digest_is_that_of_the_joined_segments(cuts) -> None:
    staging = MemoryStaging()
    for index in range(5):
        staging.put(f"k{index}", bytes([index]) * 500_000)
    segments = [
        Segment(key=f"k{index}", offset=offset, size=min(size, 500_000 - offset)) for index, offset, size in cuts
    ]
    expected = hashlib.sha256(staging.join(segments)).hexdigest()
    assert sha256_of(staging.open_segment, segments=segments) == expected


def test_a_damaged_object_is_an_error_in_the_thread_that_asked() -> None:
    staging = MemoryStaging()
    staging.put("k", b"abc")
    with pytest.raises(IntegrityError, match="k ends 7 bytes before"):
        sha256_of(staging.open_segment, segments=[Segment(key="k", offset=0, size=10)])


def test_reading_ahead_goes_one_chunk_ahead_and_no_further() -> None:
    read: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(5):
            read.append(number)
            yield bytes([number])

    ahead = read_ahead(chunks())
    for number in range(5):
        assert next(ahead) == bytes([number])
        assert len(read) <= number + 2
    assert list(ahead) == []
