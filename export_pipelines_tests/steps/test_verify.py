"""A published archive of tables against its manifest: whatever was done to it is found and named."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from export_pipelines.core.archive import Entry, Member
from export_pipelines.packaging.archive import assemble
from export_pipelines.packaging.archive_manifest import read_head
from export_pipelines.packaging.sidecar import SidecarManifest
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.verify import Published, published, verify
from export_pipelines_tests.packaging.memory_staging import MemoryStaging
from export_pipelines_tests.packaging.sidecars import facts_of
from export_pipelines_tests.steps.orders import order


@pytest.fixture
def file(services: Services) -> Iterator[Published]:
    job = run_export(services, submit(services, order("BULK_PARQUET")).id)
    with published(services, job.id) as found:
        yield replace(found, job=None)


def problems(found: Published, data: bytes, folder: Path, manifest: SidecarManifest | None = None) -> tuple[str, ...]:
    path = folder / "changed.zip"
    path.write_bytes(data)
    return verify(replace(found, path=path, manifest=manifest or found.manifest), trust=None).problems


def test_a_flipped_byte_anywhere_names_its_member_or_the_directory(file: Published, tmp_path: Path) -> None:
    data = file.path.read_bytes()
    assert problems(file, data, tmp_path) == ()
    archive = zipfile.ZipFile(io.BytesIO(data))
    begins = sorted((info.header_offset, info.filename) for info in archive.infolist())
    ends = [*(at for at, _ in begins[1:]), archive.start_dir]
    assert sum(name.endswith(".parquet") for _, name in begins) > 1
    for (begin, name), end in zip(begins, ends, strict=True):
        # The local header, the first and the last byte of what it heads, and places between.
        for at in {begin, begin + 40, end - 1, *range(begin, end, (end - begin) // 6)}:
            found = problems(file, changed(data, at), tmp_path)
            assert any(f"member {name}" in problem or "hold no content" in problem for problem in found), (at, found)
    for at in range(archive.start_dir, len(data), 7):
        found = problems(file, changed(data, at), tmp_path)
        wanted = ("directory", "end record", "missing")
        assert any(text in problem for problem in found for text in wanted), (at, found)


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def packed_again(file: Published, entries: Sequence[Entry]) -> tuple[bytes, SidecarManifest]:
    """An archive of these members that is whole in itself, and the manifest as if only its bytes were known."""
    assert file.manifest.member_list is not None
    own, staging = file.manifest.member_list.manifest.name, MemoryStaging()
    head = read_head(iter([zipfile.ZipFile(file.path).read(own)]))
    parts = [staging.archive_part(0, entries)]
    layout = assemble(staging.open_segment, staging.stage, parts=parts, manifest_name=own, manifest_head=head)
    data = staging.join(layout.segments)
    return data, replace(file.manifest, file=facts_of(data, format_name="zip"))


def members(file: Published) -> list[Member]:
    archive = zipfile.ZipFile(file.path)
    return [
        Member(facts.name, archive.read(facts.name), rows=facts.rows, stored=facts.rows is not None)
        for facts in file.manifest.members or ()
        if file.manifest.member_list and facts.name != file.manifest.member_list.manifest.name
    ]


def test_a_missing_and_an_added_table_are_named(file: Published, tmp_path: Path) -> None:
    whole = members(file)
    table = next(member for member in whole if member.rows)
    data, manifest = packed_again(file, [member for member in whole if member is not table])
    found = problems(file, data, tmp_path, manifest)
    assert f"member {table.name} is missing" in found
    assert any(
        problem.startswith(f"the number of records is {manifest.record_count - (table.rows or 0)}, ")
        for problem in found
    )
    added = table._replace(name=table.name.replace("part-", "part-1"))
    data, manifest = packed_again(file, [*whole, added])
    assert f"member {added.name} was added" in problems(file, data, tmp_path, manifest)


@pytest.mark.parametrize("more", [1, -1])
def test_a_wrong_number_of_rows_is_named_whatever_else_agrees(file: Published, tmp_path: Path, more: int) -> None:
    stated = file.manifest.members or ()
    table = next(facts for facts in stated if facts.rows)
    rows = (table.rows or 0) + more
    lying = replace(file.manifest, members=tuple(replace(f, rows=rows) if f is table else f for f in stated))
    found = problems(file, file.path.read_bytes(), tmp_path, lying)
    assert f"member {table.name}: its number of rows is {table.rows}, the manifest states {rows}" in found
    whole = replace(file.manifest, record_count=file.manifest.record_count + more)
    assert any(
        "the number of records is" in problem for problem in problems(file, file.path.read_bytes(), tmp_path, whole)
    )
