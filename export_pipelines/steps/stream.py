"""Stream: render rows as PostgreSQL sends them, where rendering is quicker than sending.

Freezing rows first would then only write and read them once more. What freezing is for still holds: one snapshot, and a
crash costs no more than it would while freezing, for a snapshot that was lost has to be read anew either way.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import cast

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context, Part, Shard, StagedObject
from export_pipelines.core.jobs import JobRef
from export_pipelines.db import ledger
from export_pipelines.packaging.codecs import compress
from export_pipelines.rendering.base import FlatFormat
from export_pipelines.rendering.frames import read_frames
from export_pipelines.steps import staging
from export_pipelines.steps.cutting import Cut, RowStream, cuts
from export_pipelines.steps.services import Services
from export_pipelines.storage.store import ObjectWriter

BATCH_BYTES = 64 * 1024
"""Less than a socket holds: while a batch is rendered, PostgreSQL goes on filling the socket."""


def stream(
    services: Services, type_: ExportType, ref: JobRef, *, rows: RowStream, context: Context
) -> tuple[tuple[Shard, ...], StagedObject]:
    """Write the whole file, head to tail, as one staged object, and note each shard's part of it in the ledger.

    Returns:
        The shards, and the file.

    Raises:
        ContentError: a row's content cannot be read; the message names it.
        SupersededError: the job moved on meanwhile.
    """
    format_, codec = cast("FlatFormat", type_.format), str(context["options"].get("compression", "none"))
    key = staging.package_key(ref, "streamed")
    with services.store.writer(key, media_type=type_.media_type) as writer:
        body = _Body(writer, key)
        body.write_all(_packed(format_.head(context), codec))
        done = [
            _render(body, format_, cut, index=index, context=context, codec=codec)
            for index, cut in enumerate(cuts(rows, limit=services.settings.shard_bytes, batch_bytes=BATCH_BYTES))
        ]
        body.write_all(_packed(format_.tail(context), codec))
    ledger.commit_streamed(services.database, ref, done)
    return tuple(shard for shard, _ in done), writer.staged


class _Body:
    """The file as it grows; knows where each part lies in it."""

    def __init__(self, writer: ObjectWriter, key: str) -> None:
        self._writer = writer
        self._key = key
        self._size = 0

    def write_all(self, chunks: Iterable[bytes]) -> StagedObject:
        """Write the chunks; where they lie."""
        begin, digest = self._size, hashlib.sha256()
        for chunk in chunks:
            self._size += self._writer.write(chunk)
            digest.update(chunk)
        return StagedObject(key=self._key, offset=begin, size=self._size - begin, sha256=digest.hexdigest())


def _render(
    body: _Body, format_: FlatFormat, cut: Cut, *, index: int, context: Context, codec: str
) -> tuple[Shard, Part]:
    report = FidelityReport()
    staged = body.write_all(compress(format_.body(read_frames(cut), context, report), codec))
    shard = Shard(index=index, rows=cut.rows, copy_bytes=cut.bytes, staged=None)
    part = Part(shard_index=index, rows=cut.rows, records=cut.rows, body=staged, index=None, fidelity=report.notes())
    return shard, part


def _packed(data: bytes, codec: str) -> Iterator[bytes]:
    """Nothing for nothing: an empty head is no member or frame of its own."""
    return compress([data], codec) if data else iter(())
