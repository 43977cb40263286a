"""Layout: a file as segments, its small bytes staged once."""

from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.frozen import Segment
from export_pipelines.packaging.layout import Layout
from export_pipelines_tests.packaging.memory_staging import MemoryStaging

STEPS = st.lists(st.binary(max_size=5) | st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=20)


@given(steps=STEPS)
def test_segments_and_frame_join_to_what_was_placed(steps) -> None:
    staging, layout, expected = MemoryStaging(), Layout(), b""
    body = bytes(range(40))
    staging.put("body", body)
    for step in steps:
        if isinstance(step, bytes):
            at, data = layout.place_bytes(step), step
        else:
            offset, size = step
            at, data = layout.place(Segment(key="body", offset=offset, size=size)), body[offset : offset + size]
        assert at == len(expected)
        expected += data
    segments = layout.finish(staging.stage, name="frame")
    assert staging.join(segments) == expected
    assert layout.size == len(expected)
    assert all(segment.size for segment in segments)


def test_neighbours_in_one_object_become_one_segment() -> None:
    layout = Layout()
    layout.place(Segment(key="a", offset=0, size=5))
    layout.place(Segment(key="a", offset=5, size=2))
    layout.place(Segment(key="a", offset=8, size=1))
    assert layout.segments == (Segment(key="a", offset=0, size=7), Segment(key="a", offset=8, size=1))
