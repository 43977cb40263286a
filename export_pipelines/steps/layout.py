"""Lay parts out as one file, whichever kind of format they are of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.frozen import Context, Part, Segment, StagedObject
from export_pipelines.core.jobs import JobRef
from export_pipelines.packaging.codecs import compress
from export_pipelines.packaging.flat import lay_out as lay_out_flat
from export_pipelines.packaging.sidecar import MemberFacts, MemberList, ShardFacts
from export_pipelines.rendering.base import ArchiveFormat, FlatFormat
from export_pipelines.steps import staging
from export_pipelines.storage.store import ObjectStore


@dataclass(frozen=True, kw_only=True)
class Laid:
    """The final file as segments of staged objects, and what the sidecar says of its inside."""

    segments: tuple[Segment, ...]
    size: int
    records: int
    shards: tuple[ShardFacts, ...]
    members: tuple[MemberFacts, ...] | None = None
    member_list: MemberList | None = None


def lay_out(
    store: ObjectStore,
    type_: ExportType,
    ref: JobRef,
    *,
    parts: Sequence[Part],
    context: Context,
    streamed: Sequence[StagedObject] = (),
) -> Laid:
    """The file that the parts make up; what only the whole has (head, central directory) is staged here.

    ``streamed`` is what was rendered as the rows came; of a flat format, the whole file.
    """
    if type_.is_archive:
        return _archive(store, cast("ArchiveFormat", type_.format), ref, parts=parts, context=context)
    if streamed:
        return _streamed(streamed[0], parts=parts)
    return _flat(store, cast("FlatFormat", type_.format), ref, parts=parts, context=context)


def _flat(store: ObjectStore, format_: FlatFormat, ref: JobRef, *, parts: Sequence[Part], context: Context) -> Laid:
    codec = str(context["options"].get("compression", "none"))

    def staged(name: str, data: bytes) -> StagedObject | None:
        if not data:
            return None
        return staging.stage(store, staging.package_key(ref, name), b"".join(compress([data], codec)))

    laid = lay_out_flat(
        parts=parts, head=staged("head", format_.head(context)), tail=staged("tail", format_.tail(context))
    )
    return Laid(segments=laid.segments, size=laid.size, records=laid.records, shards=laid.shards)


def _streamed(whole: StagedObject, *, parts: Sequence[Part]) -> Laid:
    """The file is there already: head, parts and tail lie one behind the other in one object."""
    begin, end = parts[0].body.offset, parts[-1].body.offset + parts[-1].body.size
    laid = lay_out_flat(
        parts=parts,
        head=replace(whole, size=begin),
        tail=replace(whole, offset=end, size=whole.size - end),
    )
    return Laid(segments=laid.segments, size=laid.size, records=laid.records, shards=laid.shards)


def _archive(
    store: ObjectStore, format_: ArchiveFormat, ref: JobRef, *, parts: Sequence[Part], context: Context
) -> Laid:
    # Ten modules that only archives need; a small export feels them.
    from export_pipelines.packaging.archive import assemble  # noqa: PLC0415

    laid = assemble(
        staging.opener(store),
        lambda name: store.writer(staging.package_key(ref, name)),
        parts=parts,
        manifest_name=format_.manifest_name(context),
        manifest_head=format_.manifest_head(context),
    )
    shards = tuple(ShardFacts(index=part.shard_index, rows=part.rows, records=part.records) for part in parts)
    return Laid(
        segments=laid.segments,
        size=laid.size,
        records=laid.records,
        shards=shards,
        members=laid.listing,
        member_list=MemberList(count=laid.members, manifest=laid.manifest),
    )
