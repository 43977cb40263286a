"""Shards are cut at row boundaries, by bytes, and lose nothing."""

from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.steps.cutting import RowStream, cuts


@given(
    rows=st.lists(st.binary(min_size=1, max_size=20), max_size=60),
    limit=st.integers(1, 60),
    batch_bytes=st.integers(1, 30),
)
def test_every_row_is_in_one_shard_in_its_order(rows: list[bytes], limit: int, batch_bytes: int) -> None:
    counted: list[int] = []
    stream = RowStream(rows, on_batch=lambda rows, size: counted.append(rows))
    shards = []
    for cut in cuts(stream, limit=limit, batch_bytes=batch_bytes):
        data = b"".join(cut)
        assert len(data) == cut.bytes
        shards.append(cut)
    assert sum(cut.rows for cut in shards) == len(rows) == sum(counted)
    assert sum(cut.bytes for cut in shards) == sum(map(len, rows))
    # Full but for the last; no larger than the limit and one row; never empty, unless there is nothing at all.
    assert all(limit <= cut.bytes < limit + 20 for cut in shards[:-1])
    assert shards[-1].rows > 0 or not rows


@given(rows=st.lists(st.binary(min_size=1, max_size=20), max_size=60), limit=st.integers(1, 60))
def test_the_size_of_batches_does_not_move_the_cuts(rows: list[bytes], limit: int) -> None:
    def sizes(batch_bytes: int) -> list[int]:
        found = []
        for cut in cuts(RowStream(rows, on_batch=lambda rows, size: None), limit=limit, batch_bytes=batch_bytes):
            for _ in cut:
                pass
            found.append(cut.rows)
        return found

    assert sizes(1) == sizes(7) == sizes(1000)
