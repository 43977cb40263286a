"""Preview: the beginning of a packaged file, for the run page."""

from collections.abc import Iterator

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Package, Segment
from export_pipelines.packaging import sidecar
from export_pipelines.packaging.codecs import decompress
from export_pipelines.steps import staging
from export_pipelines.storage.store import ObjectStore

SHOWN_BYTES = 2000
READ_BYTES = 64 * 1024
LISTED = 30


def preview(store: ObjectStore, type_: ExportType, package: Package) -> str:
    """Markdown that shows how a text file begins, or what an archive holds."""
    manifest = sidecar.read(staging.read_staged(store, package.manifest.key))
    if type_.is_archive:
        return _members(manifest)
    segments = staging.read_record(store, package.composition.key, tuple[Segment, ...])
    text = _head(store, segments, manifest.file.codec).decode("utf-8", "replace")
    # Four backticks: the text may hold a fence of three itself.
    return f"````\n{text}\n````"


def _members(manifest: sidecar.SidecarManifest) -> str:
    if manifest.members is None:
        return f"{manifest.record_count} records; the archive's own manifest lists its members."
    lines = [f"- `{member.name}` ({member.size} bytes)" for member in manifest.members[:LISTED]]
    more = len(manifest.members) - len(lines)
    return "\n".join([*lines, f"- and {more} more"] if more > 0 else lines)


def _head(store: ObjectStore, segments: tuple[Segment, ...], codec: str) -> bytes:
    """The first decompressed bytes; a member that is cut off gives what it can."""
    found = bytearray()
    try:
        for chunk in decompress(_chunks(store, segments), codec):
            found += chunk
            if len(found) >= SHOWN_BYTES:
                break
    except IntegrityError:
        # We read a piece of a compressed file on purpose; its end is missing.
        return bytes(found[:SHOWN_BYTES])
    return bytes(found[:SHOWN_BYTES])


def _chunks(store: ObjectStore, segments: tuple[Segment, ...]) -> Iterator[bytes]:
    left = READ_BYTES
    for segment in segments:
        size = min(left, segment.size)
        with store.open(segment.key, offset=segment.offset, size=size) as stream:
            yield stream.read()
        left -= size
        if left <= 0:
            return
