"""Parts of a flat format to one file: head, parts in order, tail; nothing is copied."""

from collections.abc import Sequence
from dataclasses import dataclass

from export_pipelines.core.frozen import Part, Segment, StagedObject
from export_pipelines.packaging.layout import Layout
from export_pipelines.packaging.sidecar import ShardFacts
from export_pipelines.packaging.staging import whole


@dataclass(frozen=True, kw_only=True)
class FlatLayout:
    """The file, described but not yet joined.

    Attributes:
        segments: the whole file in order; none of them empty.
        shards: which bytes came from which shard, for the sidecar.
    """

    segments: tuple[Segment, ...]
    size: int
    records: int
    shards: tuple[ShardFacts, ...]


def lay_out(*, parts: Sequence[Part], head: StagedObject | None = None, tail: StagedObject | None = None) -> FlatLayout:
    """Lay the pieces one behind the other, parts by shard.

    With a codec, head and tail are staged as ``codecs.compress([head], codec)``: members or frames of their own, which
    join with those of the parts. An empty head or tail is left out.
    """
    layout = Layout()
    if head is not None:
        layout.place(whole(head))
    shards = [_place(layout, part) for part in sorted(parts, key=lambda part: part.shard_index)]
    if tail is not None:
        layout.place(whole(tail))
    return FlatLayout(
        segments=layout.segments,
        size=layout.size,
        records=sum(shard.records for shard in shards),
        shards=tuple(shards),
    )


def _place(layout: Layout, part: Part) -> ShardFacts:
    return ShardFacts(
        index=part.shard_index,
        rows=part.rows,
        records=part.records,
        offset=layout.place(whole(part.body)),
        size=part.body.size,
        sha256=part.body.sha256,
    )
