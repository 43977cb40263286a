"""The sidecar ``<file>.manifest.json``: what belongs to the export and not to the data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.fidelity import FidelityNote
from export_pipelines.core.frozen import SnapshotFacts

FORMAT_VERSION = 1

LISTED_MEMBERS_MAX = 10_000
"""An archive with more members is listed by its own manifest only, so that the sidecar always fits in memory."""


@dataclass(frozen=True, kw_only=True)
class JobFacts:
    """The job and attempt that made the file."""

    id: str
    attempt: int
    type: str
    title: str
    user_id: str


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """The file itself.

    Attributes:
        format: ``csv``, ``jsonl``, ``yaml``, ``markdown`` or ``zip``: how records are counted in it.
        codec: ``none``, ``gzip`` or ``zstd``.
    """

    name: str
    size: int
    sha256: str
    media_type: str
    format: str
    codec: str = "none"


@dataclass(frozen=True, kw_only=True)
class ShardFacts:
    """One shard's share.

    Attributes:
        rows, records: as in :class:`~export_pipelines.core.frozen.Part`.
        offset, size, sha256: the bytes of its part in the file; None in archives, where the members tell.
    """

    index: int
    rows: int
    records: int
    offset: int | None = None
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberFacts:
    """One member of an archive: its content's size and SHA-256.

    Attributes:
        record, rows: as in :class:`~export_pipelines.core.archive.Member`.
    """

    name: str
    size: int
    sha256: str
    record: bool = False
    rows: int | None = None

    @property
    def records(self) -> int:
        """How many records of the export it brings."""
        return int(self.record) if self.rows is None else self.rows


@dataclass(frozen=True, kw_only=True)
class MemberList:
    """Where the members are listed, and how many there are, that one included.

    Attributes:
        manifest: the archive's own manifest.
    """

    count: int
    manifest: MemberFacts


@dataclass(frozen=True, kw_only=True)
class SidecarManifest:
    """Everything the sidecar says.

    Attributes:
        subject: what was exported: its kind, id and name.
        versions: of this project, Python, the database server.
        created_at: when the package was put together, UTC.
        counted_rows: rows the database counted in the snapshot.
        partial: the run was not finished.
        shards: in the order of the file.
        members: of an archive, by name, its own manifest included; None for flat files and for archives of more than
            :data:`LISTED_MEMBERS_MAX` members.
        member_list: for every archive.
    """

    job: JobFacts
    subject: Mapping[str, Any]
    options: Mapping[str, Any]
    snapshot: SnapshotFacts
    versions: Mapping[str, str]
    created_at: datetime
    file: FileFacts
    record_count: int
    counted_rows: int
    partial: bool
    shards: tuple[ShardFacts, ...]
    fidelity: tuple[FidelityNote, ...] = ()
    members: tuple[MemberFacts, ...] | None = None
    member_list: MemberList | None = None
    format_version: int = FORMAT_VERSION


def build(manifest: SidecarManifest) -> bytes:
    """The sidecar's canonical bytes, still without a signature."""
    return canonical(msgspec.to_builtins(manifest))


def canonical(value: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, two spaces of indentation, LF, and a newline at the end; what signatures are made of."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False, default=dict)
    # Half a surrogate pair cannot be UTF-8; as a backslash escape it is legal JSON and reads back the same.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def read(data: bytes) -> SidecarManifest:
    """The sidecar that ``build`` wrote.

    Raises:
        ValidationError: it is no sidecar, or of a version we do not know; the message says where.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"The manifest is no JSON ({error}); fetch it again.") from error
    version = found.get("format_version") if isinstance(found, dict) else None
    if version != FORMAT_VERSION:
        raise ValidationError(
            f"The manifest states format_version {version!r}; known is {FORMAT_VERSION}. Update export-pipelines."
        )
    try:
        return msgspec.convert(found, SidecarManifest)
    except msgspec.ValidationError as error:
        raise ValidationError(f"The manifest is not complete or not well-formed: {error}; fetch it again.") from error
