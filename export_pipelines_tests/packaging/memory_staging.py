"""Staging in memory, with the faces that packaging asks for, and short ways through it."""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from export_pipelines.core.archive import Entry
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Part, Segment, StagedObject
from export_pipelines.packaging.archive import ArchiveLayout, assemble
from export_pipelines.packaging.segments import SpanningDigests, write_part

MANIFEST = "run/manifest.yaml"


class MemoryWriter(io.BytesIO):
    """A staging writer; its object is there when the block has ended well."""

    staged: StagedObject


class MemoryStaging:
    """Objects by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[MemoryWriter]:
        writer = MemoryWriter()
        yield writer
        writer.staged = self.put(name, writer.getvalue())

    @contextmanager
    def open_segment(self, segment: Segment) -> Iterator[io.BytesIO]:
        yield io.BytesIO(self.objects[segment.key][segment.offset : segment.offset + segment.size])

    def put(self, key: str, data: bytes) -> StagedObject:
        self.objects[key] = data
        return StagedObject(key=key, size=len(data), sha256=hashlib.sha256(data).hexdigest())

    def join(self, segments: Iterable[Segment]) -> bytes:
        return b"".join(self.objects[part.key][part.offset : part.offset + part.size] for part in segments)

    def archive_part(self, index: int, entries: Sequence[Entry], *, digests: SpanningDigests | None = None) -> Part:
        with self.stage(f"part-{index}") as body, self.stage(f"part-{index}.index") as listing:
            totals = write_part(entries, body=body, index=listing, digests=digests)
        return Part(
            shard_index=index,
            rows=totals.records + totals.absent,
            records=totals.records,
            body=body.staged,
            index=listing.staged,
            fidelity=(),
        )

    def flat_part(self, index: int, data: bytes, *, records: int) -> Part:
        body = self.put(f"part-{index}", data)
        return Part(shard_index=index, rows=records, records=records, body=body, index=None, fidelity=())


def make_archive(
    shards: Sequence[Sequence[Entry]], *, head: Mapping[str, Any] | None = None
) -> tuple[bytes, ArchiveLayout]:
    """The whole way from entries to a file."""
    staging = MemoryStaging()
    parts = [staging.archive_part(index, entries) for index, entries in enumerate(shards)]
    layout = assemble(
        staging.open_segment, staging.stage, parts=parts, manifest_name=MANIFEST, manifest_head=head or {"run": "r1"}
    )
    data = staging.join(layout.segments)
    if len(data) != layout.size:
        raise IntegrityError("the layout states another size")
    return data, layout


def opener(data: bytes) -> Callable[[], io.BytesIO]:
    """A file to open again and again."""
    return lambda: io.BytesIO(data)
