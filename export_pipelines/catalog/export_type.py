"""What an export type is: a record that says what to read, how it looks, and what may be asked of it."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from export_pipelines.catalog.options import Option
from export_pipelines.core.frozen import Context
from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.sources.sizes import Sizing
from export_pipelines.db.sources.source import Source
from export_pipelines.rendering.base import ArchiveFormat, FlatFormat


class Subject(enum.StrEnum):
    """What kind of thing an export is of."""

    DEFINITION = "definition"
    RUN = "run"
    DAY = "day"
    AUDIT_LOG = "audit_log"


class Streamed(enum.Enum):
    """When rows are rendered as they come instead of being frozen first; the file is the same."""

    NEVER = enum.auto()
    ALONE = enum.auto()
    """In a run of one process. Where there are several, rows are frozen, and shards rendered beside each other."""
    ALWAYS = enum.auto()
    """Rendering is quicker than PostgreSQL sends."""


_FIELDS = {
    Subject.DEFINITION: "definition_id",
    Subject.RUN: "run_id",
    Subject.DAY: "day",
    Subject.AUDIT_LOG: "positions",
}

SourceReader = Callable[[Snapshot, str, Mapping[str, Any]], Source]
"""Reads what one export needs: ``(snapshot, subject id, options)``."""


@dataclass(frozen=True, kw_only=True)
class ExportType:
    """One entry of the catalog.

    Attributes:
        name: as users write it and rows store it, like ``BULK_CSV``.
        title: a few words for people.
        description: one or two sentences: what the file holds and who reads it.
        subject: what kind of id the request must give.
        noun: what its records are called in op names, like ``transcripts``.
        extension: of the file name, with the dot, before any compression's own.
        media_type: of the uncompressed file.
        file_format: ``csv``, ``jsonl``, ``yaml``, ``markdown`` or ``zip``: how ``verify`` counts records in it.
        options: what a request may set, besides the common ones.
        read: the projection, run inside the snapshot.
        sizing: what tells beforehand how many rows it will read, and of how many bytes.
        stem: the file name without extension, from the context.
        format: how rows become bytes.
        streamed: when rows are rendered as they come instead of being frozen first.
        line_id: what names a record in JSON Lines and CSV.
    """

    name: str
    title: str
    description: str
    subject: Subject
    noun: str
    extension: str
    media_type: str
    file_format: str
    options: tuple[Option, ...]
    read: SourceReader
    sizing: Sizing
    stem: Callable[[Context], str]
    format: FlatFormat | ArchiveFormat
    streamed: Streamed = Streamed.NEVER
    line_id: str = "transcript_id"

    @property
    def is_archive(self) -> bool:
        """Whether parts are archive segments and not runs of the file itself."""
        return hasattr(self.format, "entries")

    @property
    def job_name(self) -> str:
        """The Dagster job's name."""
        return f"export_{self.name.lower()}"

    @property
    def subject_field(self) -> str:
        """What forms and command lines call the subject's id."""
        return _FIELDS[self.subject]

    @property
    def request_field(self) -> str:
        """What requests to the HTTP API call it."""
        first, *others = self.subject_field.split("_")
        return first + "".join(word.capitalize() for word in others)
