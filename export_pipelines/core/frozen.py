"""What crosses between the steps: frozen shards, rendered parts, the package, the stored file.

Small records with storage keys; rows never travel in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from export_pipelines.core.fidelity import FidelityNote
from export_pipelines.core.jobs import JobRef


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a frozen row.

    Attributes:
        name: the column's name in the projection.
        type: PostgreSQL's name of the type as sent in binary COPY: ``text``, ``jsonb``, ``int4``, ``int8``, ``float8``,
            ``bool`` or ``timestamptz``.
    """

    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class SnapshotFacts:
    """The one instant that everything in an export was read at.

    Attributes:
        id: what ``pg_export_snapshot()`` returned.
        taken_at: the database's clock when the snapshot was taken, UTC.
        wal_lsn: the write-ahead log position, None where the role may not read it.
    """

    id: str
    taken_at: datetime
    wal_lsn: str | None


@dataclass(frozen=True, kw_only=True)
class StagedObject:
    """An object in staging, or a run of bytes of one: its key, size in bytes and SHA-256 (hex) as stored.

    Attributes:
        offset: where the run begins in the object; 0 for whole objects.
    """

    key: str
    size: int
    sha256: str
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A run of frozen rows: binary COPY tuples as PostgreSQL sent them, zstd-compressed, in one object.

    Attributes:
        index: position in the export's order, from 0.
        rows: number of tuples.
        copy_bytes: size before compression.
        staged: where they are; None when they were rendered as they came, and their part is all that was kept.
    """

    index: int
    rows: int
    copy_bytes: int
    staged: StagedObject | None


@dataclass(frozen=True, kw_only=True)
class FrozenShards:
    """Everything the load step read, and what it promises.

    Attributes:
        context: staged JSON object: the columns, the type's own facts and lookups, its options.
        counted_rows: rows counted by the database in the same snapshot; what the rendered rows must add up to.
        partial: the run was not finished when it was read.
        streamed: what was rendered as the rows came: the whole file, or an archive's parts and their indexes.
    """

    job: JobRef
    snapshot: SnapshotFacts
    context: StagedObject
    shards: tuple[Shard, ...]
    counted_rows: int
    partial: bool
    streamed: tuple[StagedObject, ...] = ()

    def staged(self) -> tuple[StagedObject, ...]:
        """Everything that has to be there for the export to go on."""
        frozen = (shard.staged for shard in self.shards)
        return (self.context, *self.streamed, *(staged for staged in frozen if staged is not None))

    def tasks(self) -> tuple["ShardTask", ...]:
        """The rendering work, one task a shard."""
        return tuple(
            ShardTask(
                job=self.job,
                context=self.context,
                shard=shard,
                counted_rows=self.counted_rows,
                shards=len(self.shards),
            )
            for shard in self.shards
        )


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """One unit of rendering work: a shard and where its context lies.

    Attributes:
        counted_rows, shards: rows and shards of the whole export, for progress.
    """

    job: JobRef
    context: StagedObject
    shard: Shard
    counted_rows: int
    shards: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """A legal piece of the final file, rendered from one shard.

    Attributes:
        rows: rows of the shard that were rendered; equals the shard's.
        records: how many of them are records in the file (an expired transcript is a row, but no record).
        body: the bytes.
        index: for archives, the staged list of what lies where in ``body``; None for flat formats.
    """

    shard_index: int
    rows: int
    records: int
    body: StagedObject
    index: StagedObject | None
    fidelity: tuple[FidelityNote, ...]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A run of bytes of the final file: ``size`` bytes from ``offset`` of the staged object ``key``."""

    key: str
    offset: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Package:
    """The final file, described but not yet published.

    Attributes:
        file_name: last component of the final key.
        composition: staged JSON list of the segments that make up the file, in order.
        size: bytes of the final file.
        sha256: hex digest of the final file.
        manifest: the staged sidecar.
        record_count: records in the file.
    """

    job: JobRef
    file_name: str
    media_type: str
    composition: StagedObject
    size: int
    sha256: str
    manifest: StagedObject
    record_count: int
    fidelity: tuple[FidelityNote, ...]
    partial: bool


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """The published file and its sidecar.

    Attributes:
        key: final key in the store.
        url: the store's own address of it (``file://`` or ``s3://``); for operators, not for users.
        local_path: path on this machine, when the store is local.
    """

    job: JobRef
    key: str
    manifest_key: str
    url: str
    size: int
    sha256: str
    record_count: int
    media_type: str
    fidelity: tuple[FidelityNote, ...]
    partial: bool
    local_path: str | None


Context = Mapping[str, Any]
"""The parsed context of an export: its ``columns``, ``options`` and lookups; JSON types only."""
