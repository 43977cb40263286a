"""Sample: how the file of an export would begin, rendered from its first few rows; nothing is made or kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import cast

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.archive import Absent, Entry
from export_pipelines.core.errors import UnavailableError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.core.jobs import ExportRequest
from export_pipelines.db.reading import first_rows
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.packaging.beginnings import Beginning, csv_beginning, jsonl_beginning, parquet_beginning
from export_pipelines.rendering.base import ArchiveFormat, FlatFormat, Row
from export_pipelines.rendering.frames import read_frames
from export_pipelines.steps.contexts import context_of
from export_pipelines.steps.services import Services

ROWS = 5
SECONDS = 4
"""For each statement: what takes longer shows nothing."""
HEAD_BYTES = 4_000
MEMBERS = 40
"""Members of an archive that are named, and of these how many are shown."""
SHOWN_MEMBERS = 4

_MOST_BYTES = 4 << 20
"""Of rows, beside the last of them, which is as long as it is."""
_BINARY = (".parquet",)
_TABLES: Mapping[str, Callable[[bytes], Beginning]] = MappingProxyType({"csv": csv_beginning, "jsonl": jsonl_beginning})


@dataclass(frozen=True, kw_only=True)
class SampleMember:
    """A member of an archive.

    Attributes:
        head: how its text begins; None where it is not shown.
    """

    name: str
    head: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How the file begins.

    Attributes:
        columns, rows: of a table, its cells as cut texts; empty for other files.
        head: how a text file begins; None of an archive.
        members: the first members of an archive, as far as the first rows bring them.
        rows_read: how many rows of the export this is made of.
        whole: these are all its rows.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    head: str | None = None
    members: tuple[SampleMember, ...] = ()
    rows_read: int = 0
    whole: bool = False


def sample(services: Services, type_: ExportType, request: ExportRequest) -> Sample | None:
    """Read the first rows in a snapshot that is held for a moment, and render them; None when that takes too long.

    Raises:
        NotFoundError, ValidationError: the subject is gone, or has nothing to export.
        ContentError: a content cannot be read; the export would fail of it.
    """
    try:
        with open_snapshot(services.database, seconds=SECONDS) as snapshot:
            source = type_.read(snapshot, request.subject_id, request.options)
            frozen = first_rows(snapshot, source, most=ROWS, most_bytes=_MOST_BYTES)
    except UnavailableError:
        return None
    seen = _Seen(rows=list(read_frames(frozen)), context=context_of(source, request.options))
    shown = _archive(type_, seen) if type_.is_archive else _flat(type_, seen)
    return replace(shown, rows_read=len(seen.rows), whole=len(seen.rows) == source.counted_rows)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    rows: list[Row]
    context: Context
    report: FidelityReport = field(default_factory=FidelityReport)


def _flat(type_: ExportType, seen: _Seen) -> Sample:
    format_ = cast("FlatFormat", type_.format)
    data = format_.head(seen.context) + b"".join(format_.body(iter(seen.rows), seen.context, seen.report))
    table = _TABLES.get(type_.file_format, _no_table)(data)
    return Sample(columns=table.columns, rows=table.rows, head=_head(data))


def _archive(type_: ExportType, seen: _Seen) -> Sample:
    entries = cast("ArchiveFormat", type_.format).entries(iter(seen.rows), seen.context, seen.report, shard=0)
    members = _joined(entries)
    tables = [data for name, data in members.items() if name.endswith(_BINARY)]
    table = parquet_beginning(tables[0]) if tables else Beginning()
    texts = [name for name in members if not name.endswith(_BINARY)][:SHOWN_MEMBERS]
    named = tuple(
        SampleMember(name=name, head=_head(members[name]) if name in texts else None)
        for name in list(members)[:MEMBERS]
    )
    return Sample(columns=table.columns, rows=table.rows, members=named)


def _joined(entries: Iterator[Entry]) -> dict[str, bytes]:
    """Members by name, in the order in which they begin."""
    found: dict[str, bytearray] = {}
    for entry in entries:
        if not isinstance(entry, Absent):
            found.setdefault(entry.name, bytearray()).extend(entry.data)
    return {name: bytes(data) for name, data in found.items()}


def _no_table(data: bytes) -> Beginning:
    return Beginning()


def _head(data: bytes) -> str:
    """The text's first characters, none of them cut in two."""
    return data[:HEAD_BYTES].decode("utf-8-sig", "ignore")
