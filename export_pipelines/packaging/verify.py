"""Checks a file against its sidecar: size, SHA-256, every shard's bytes, every member, and the number of records."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.codecs import decompress
from export_pipelines.packaging.digest import read_ahead
from export_pipelines.packaging.problems import Findings, Verification
from export_pipelines.packaging.ranges import RangeDigests
from export_pipelines.packaging.record_counts import count_records
from export_pipelines.packaging.sidecar import ShardFacts, SidecarManifest
from export_pipelines.packaging.staging import chunks_of
from export_pipelines.packaging.verify_archive import check_archive

OpenFile = Callable[[], BinaryIO]

_BLOCK_BYTES = 1024 * 1024


def verify_file(source: OpenFile | Path, *, manifest: SidecarManifest) -> Verification:
    """Compare the file with what its manifest states; memory does not grow with the file.

    Args:
        source: a path, or a function that opens the file anew, each time seekable and at its start.
        manifest: the sidecar.
    """
    open_file = _opener(source) if isinstance(source, Path) else source
    findings = Findings()
    _check_bytes(open_file, findings, manifest)
    if manifest.file.format == "zip":
        _check_members(open_file, findings, manifest)
    else:
        _check_records(open_file, findings, manifest)
    _check_sums(findings, manifest)
    return findings.verification()


def _opener(path: Path) -> OpenFile:
    return lambda: path.open("rb")


def _check_bytes(open_file: OpenFile, findings: Findings, manifest: SidecarManifest) -> None:
    shards = [(shard, *_bounds(shard)) for shard in manifest.shards if shard.size]
    ranges = RangeDigests(at for _, start, end in shards for at in (start, end))
    with open_file() as source:
        for block in read_ahead(chunks_of(source, size=_BLOCK_BYTES)):
            ranges.update(block)
    findings.checked("size and SHA-256 of the file")
    findings.differ("the file's size in bytes", found=ranges.size, stated=manifest.file.size)
    found = ranges.digests()
    damaged = [entry for entry in shards if found[entry[1]] != entry[0].sha256]
    for shard, start, end in damaged:
        findings.problem(f"shard {shard.index} (bytes {start} to {end}) is not what was written: its SHA-256 differs")
    if (
        findings.differ("the file's SHA-256", found=ranges.whole, stated=manifest.file.sha256)
        and shards
        and not damaged
    ):
        findings.problem("every shard is as it was written: the file differs before the first or behind the last")
    if shards:
        findings.checked(f"{len(shards)} shards")


def _check_members(open_file: OpenFile, findings: Findings, manifest: SidecarManifest) -> None:
    before = findings.count
    check_archive(open_file, findings, manifest=manifest)
    if before and before == findings.count:
        findings.problem("every member is as it was written: the file differs in bytes that hold no content")


def _bounds(shard: ShardFacts) -> tuple[int, int]:
    start = shard.offset or 0
    return start, start + (shard.size or 0)


def _check_records(open_file: OpenFile, findings: Findings, manifest: SidecarManifest) -> None:
    try:
        with open_file() as source:
            content = decompress(chunks_of(source), manifest.file.codec)
            count = count_records(content, format_name=manifest.file.format)
    except IntegrityError as error:
        findings.problem(f"the records cannot be counted: {error}")
        return
    if count is not None:
        findings.checked(f"{count} records")
        findings.differ("the number of records", found=count, stated=manifest.record_count)


def _check_sums(findings: Findings, manifest: SidecarManifest) -> None:
    """The manifest must agree with itself: what the shards state adds up to what it states of the whole."""
    if manifest.shards:
        records = sum(shard.records for shard in manifest.shards)
        rows = sum(shard.rows for shard in manifest.shards)
        findings.differ("the sum of the shards' records", found=records, stated=manifest.record_count)
        findings.differ("the sum of the shards' rows", found=rows, stated=manifest.counted_rows)
