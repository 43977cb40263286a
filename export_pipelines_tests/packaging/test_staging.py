"""Reading staged bytes: a segment is given whole, or not at all."""

import pytest

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Segment
from export_pipelines.packaging.staging import read_segment, whole
from export_pipelines_tests.packaging.memory_staging import MemoryStaging


def test_a_segment_is_read_in_chunks_from_its_offset() -> None:
    staging = MemoryStaging()
    data = bytes(range(256)) * 4000
    staged = staging.put("k", data)
    assert b"".join(read_segment(staging.open_segment, whole(staged))) == data
    part = Segment(key="k", offset=300_001, size=600_000)
    assert b"".join(read_segment(staging.open_segment, part)) == data[300_001:900_001]


def test_an_object_that_is_too_short_is_an_error_that_names_it() -> None:
    staging = MemoryStaging()
    staging.put("k", b"abc")
    with pytest.raises(IntegrityError, match=r"k ends 2 bytes before the end of bytes 1 to 5"):
        list(read_segment(staging.open_segment, Segment(key="k", offset=1, size=4)))
