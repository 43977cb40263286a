"""Digests of runs in one pass."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.packaging.ranges import RangeDigests


@given(
    blocks=st.lists(st.binary(max_size=40), max_size=10), bounds=st.lists(st.integers(0, 300), max_size=6, unique=True)
)
def test_every_run_has_the_digest_of_its_bytes(blocks, bounds) -> None:
    data = b"".join(blocks)
    ranges = RangeDigests(bounds)
    for block in blocks:
        ranges.update(block)
    assert ranges.size == len(data)
    assert ranges.whole == hashlib.sha256(data).hexdigest()
    starts = sorted({0, *bounds})
    ends = [*starts[1:], None]
    assert ranges.digests() == {
        start: hashlib.sha256(data[start:end]).hexdigest() for start, end in zip(starts, ends, strict=True)
    }
