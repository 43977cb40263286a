"""Hold a published file against the database of today: what is gone since, what is new, what has changed."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.catalog.options import read_options
from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import ImportFileError, NotFoundError, ValidationError
from export_pipelines.core.frozen import SnapshotFacts
from export_pipelines.packaging.archive_items import archive_items, require_records
from export_pipelines.packaging.codecs import decompress
from export_pipelines.packaging.differences import Differences, differences
from export_pipelines.packaging.records import RECORD, Item, read_items
from export_pipelines.packaging.sidecar import MemberList, SidecarManifest
from export_pipelines.packaging.staging import chunks_of
from export_pipelines.parsing import definition_markdown
from export_pipelines.rendering import csv_summary
from export_pipelines.steps.render_now import render_now
from export_pipelines.steps.services import Services

_AT_ANY_TIME = {"allow_partial": True, "compression": "none"}
_FORMATS = ("csv", "jsonl", "yaml", "markdown", "zip")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the database of today says of a file.

    Attributes:
        snapshot: when it was read; None when there was nothing to read.
        gone: why the database has nothing of the file's subject any more.
        differences: ``missing`` is in the file alone, ``extra`` in the database alone.
    """

    snapshot: SnapshotFacts | None
    gone: str | None
    differences: Differences


def compare(services: Services, path: Path, *, manifest: SidecarManifest) -> Comparison:
    """Render the file's subject again, from a snapshot of now, and compare both by the ids of their records.

    Args:
        services: collaborators; nothing is written to database or store.
        path: the file, found intact before.
        manifest: its sidecar, which says what was exported and how.

    Raises:
        ValidationError: this release cannot compare files of that type.
        ContentError: what the database holds cannot be rendered.
    """
    type_ = export_type(manifest.job.type)
    if manifest.file.format not in _FORMATS:
        raise ValidationError(f"a {manifest.file.format} file cannot be compared record by record; verify it without.")
    if type_.is_archive:
        require_records(lambda: path.open("rb"))
    options = _options(type_, manifest)
    with tempfile.TemporaryDirectory(prefix="export-pipelines-verify-") as name:
        folder, now, gone = Path(name), None, None
        try:
            now = render_now(
                services, type_, subject_id=_subject(manifest), options=options, folder=folder / "store"
            )  # fmt: skip
        except (NotFoundError, ValidationError) as error:
            gone = str(error)
        found = differences(
            lambda: _items(path, manifest, codec=manifest.file.codec, member_list=manifest.member_list),
            lambda: _items(now.path, manifest, codec="none", member_list=now.member_list) if now else iter(()),
            folder=folder,
        )
    return Comparison(snapshot=now.snapshot if now else None, gone=gone, differences=found)


def _options(type_: ExportType, manifest: SidecarManifest) -> dict[str, Any]:
    """Those of the export, but whatever state its run is in by now, and not compressed."""
    options = read_options(type_.options, manifest.options)
    return {name: _AT_ANY_TIME.get(name, value) for name, value in options.items()}


def _items(path: Path, manifest: SidecarManifest, *, codec: str, member_list: MemberList | None) -> Iterator[Item]:
    format_name, line_id = manifest.file.format, export_type(manifest.job.type).line_id
    if member_list is not None:
        yield from archive_items(lambda: path.open("rb"), member_list=member_list, id_name=line_id)
    elif format_name == "markdown":
        yield _definition(path.read_bytes(), id_=_subject(manifest))
    else:
        id_name = csv_summary.ID if manifest.options.get("profile") == "summary" else line_id
        with path.open("rb") as source:
            yield from read_items(decompress(chunks_of(source), codec), format_name=format_name, id_name=id_name)


def _definition(data: bytes, *, id_: str) -> Item:
    """The whole file as one record, by the fields that an import would read."""
    try:
        found = asdict(definition_markdown.parse(data))
    except ImportFileError:
        return Item(kind=RECORD, id=id_, data=data)
    return Item(kind=RECORD, id=id_, data=json.dumps(found, sort_keys=True).encode())


def _subject(manifest: SidecarManifest) -> str:
    return str(manifest.subject["id"])
