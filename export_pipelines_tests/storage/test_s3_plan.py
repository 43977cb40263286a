"""The plan of a multipart upload keeps S3's rules and every byte."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.frozen import Segment
from export_pipelines.storage.s3_plan import (
    COPY_BYTES,
    MAX_PARTS,
    MIB,
    MIN_PART_BYTES,
    PlannedPart,
    joined,
    pieces,
    plan_parts,
    size_of,
    with_tails,
)

GIB = 1024 * MIB
MAX_PART_BYTES = 5 * GIB


def byte_runs(segments: list[Segment]) -> list[tuple[str, int, int]]:
    """The bytes meant, in a form that does not depend on how they are cut."""
    runs: list[tuple[str, int, int]] = []
    for segment in segments:
        if runs and runs[-1][0] == segment.key and runs[-1][2] == segment.offset:
            runs[-1] = (segment.key, runs[-1][1], segment.offset + segment.size)
        elif segment.size:
            runs.append((segment.key, segment.offset, segment.offset + segment.size))
    return runs


def flat(parts: list[PlannedPart]) -> list[Segment]:
    return [segment for part in parts for segment in part]


sizes = st.one_of(st.integers(0, 3), st.integers(0, 12 * MIB), st.just(5 * MIB), st.integers(0, 20 * GIB))
segments = st.lists(
    st.builds(Segment, key=st.sampled_from(["a", "b"]), offset=st.integers(0, 3).map(lambda n: n * 5 * MIB), size=sizes)
)


@given(segments)
@example([Segment(key="a", offset=0, size=1), Segment(key="b", offset=0, size=5 * MIB)])
@example([Segment(key="a", offset=0, size=5 * MIB - 1), Segment(key="b", offset=0, size=1)])
def test_a_plan_holds_the_same_bytes_within_the_limits(wanted: list[Segment]) -> None:
    parts = plan_parts(wanted)
    assert byte_runs(flat(parts)) == byte_runs(wanted)
    assert len(parts) <= MAX_PARTS
    assert all(MIN_PART_BYTES <= size_of(part) <= MAX_PART_BYTES for part in parts[:-1])
    assert all(0 < size_of(part) <= MAX_PART_BYTES for part in parts[-1:])


@given(segments)
def test_what_passes_through_memory_is_small(wanted: list[Segment]) -> None:
    for part in plan_parts(wanted):
        if len(part) > 1:
            assert size_of(part) < 2 * MIN_PART_BYTES


@given(segments)
def test_only_what_must_passes_through_us(wanted: list[Segment]) -> None:
    parts = plan_parts(wanted)
    through_us = sum(size_of(part) for part in parts if len(part) > 1 or size_of(part) < MIN_PART_BYTES)
    small = sum(run.size for run in joined(wanted) if run.size < MIN_PART_BYTES)
    # A large run may give what its small neighbours lack, and keep a rest that is small in its turn.
    large = sum(run.size >= MIN_PART_BYTES for run in joined(wanted))
    assert through_us <= small + large * 2 * MIN_PART_BYTES


@given(segments)
def test_tails_keep_every_byte_in_its_order_and_are_smaller_than_a_part(wanted: list[Segment]) -> None:
    runs = joined(wanted)
    found = list(with_tails(runs))
    assert [segment for run, tail in found for segment in (run, *tail)] == runs
    for run, tail in found:
        assert not tail or run.size >= MIN_PART_BYTES > size_of(tail)
    # With their tails attached, large runs follow each other; only what is small in itself is left to be merged.
    whole = [Segment(key=f"j{n}", offset=0, size=run.size + size_of(tail)) for n, (run, tail) in enumerate(found)]
    parts = plan_parts(whole)
    assert sum(size_of(part) for part in parts) == sum(run.size for run in runs)


def test_a_head_takes_what_it_lacks_from_the_first_shard_and_the_rest_is_copied() -> None:
    head = Segment(key="head", offset=0, size=100)
    shard = Segment(key="shard", offset=0, size=64 * MIB)
    parts = plan_parts([head, shard])
    assert [len(part) for part in parts] == [2, 1]
    assert size_of(parts[0]) == MIN_PART_BYTES
    assert size_of(parts[1]) == 59 * MIB + 100


@given(st.integers(1, 30 * GIB), st.integers(100 * MIB, 5 * GIB))
def test_pieces_are_about_equal(size: int, maximum: int) -> None:
    cut = list(pieces(Segment(key="a", offset=9, size=size), maximum=maximum))
    assert byte_runs(cut) == [("a", 9, 9 + size)]
    assert max(piece.size for piece in cut) <= maximum
    assert max(piece.size for piece in cut) - min(piece.size for piece in cut) <= len(cut)


def test_parts_grow_when_there_would_be_too_many() -> None:
    many = [Segment(key=f"k{number}", offset=0, size=6 * MIB) for number in range(12_000)]
    parts = plan_parts(many)
    assert len(parts) <= MAX_PARTS
    assert byte_runs(flat(parts)) == byte_runs(many)
    whole = [Segment(key="one", offset=0, size=5 * 1024 * GIB)]
    assert all(size_of(part) <= 16 * COPY_BYTES for part in plan_parts(whole))


def test_a_file_no_plan_can_hold_is_refused_with_advice() -> None:
    many = [Segment(key=f"k{number}", offset=0, size=81 * MIB) for number in range(MAX_PARTS + 1)]
    with pytest.raises(ValidationError, match="EXPORT_PIPELINES_SHARD_BYTES"):
        plan_parts(many)
