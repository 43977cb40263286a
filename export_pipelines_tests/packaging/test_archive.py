"""From parts to one ZIP file that every program opens: nothing missing, nothing twice, the same bytes each time."""

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given

from export_pipelines.core.archive import Absent, Entry, Member, Piece
from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.sidecar import LISTED_MEMBERS_MAX
from export_pipelines_tests.packaging.archive_entries import contents, shards
from export_pipelines_tests.packaging.memory_staging import MANIFEST, make_archive

Tool = Callable[[Path], list[str]]
TOOLS: dict[str, Tool] = {
    "unzip": lambda path: ["unzip", "-tqq", str(path)],
    "7z": lambda path: ["7z", "t", "-bd", str(path)],
    "zip": lambda path: ["zip", "-T", str(path)],
}


@pytest.fixture(params=TOOLS)
def tool(request) -> Tool:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed here")
    return TOOLS[request.param]


@given(parts=shards())
def test_zipfile_reads_everything_that_went_in(parts) -> None:
    data, layout = make_archive(parts)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    manifest = yaml.safe_load(found.pop(MANIFEST))
    assert found == contents(parts)
    assert layout.members == len(found) + 1
    assert [(entry["name"], entry["size"], entry["sha256"]) for entry in manifest["members"]] == [
        (name, len(found[name]), hashlib.sha256(found[name]).hexdigest()) for name in sorted(found)
    ]
    absent = sorted((entry.id, entry.reason) for part in parts for entry in part if isinstance(entry, Absent))
    assert [(row["id"], row["reason"]) for row in manifest["absent"]] == absent
    assert manifest["counts"] == {"members": len(found), "records": layout.records, "absent": layout.absent}


@given(parts=shards())
def test_the_directory_is_sorted_by_name_and_the_listing_is_its_twin(parts) -> None:
    data, layout = make_archive(parts)
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert names == sorted(names, key=str.encode)
    assert [member.name for member in layout.listing] == names
    assert layout.manifest in layout.listing


@given(parts=shards())
def test_no_byte_of_a_part_is_written_again(parts) -> None:
    data, layout = make_archive(parts)
    assert len(data) == layout.size
    staged_new = [segment for segment in layout.segments if not segment.key.startswith("part-")]
    assert {segment.key for segment in staged_new} <= {"archive-manifest", "archive-directory", "archive-frame"}


SOME: list[list[Entry]] = [
    [Member("run/transcripts/a.md", b"Hello " * 900, record=True), Piece("run/all.jsonl", b'{"a":1}\n' * 500)],
    [
        Piece("run/all.jsonl", b'{"b":2}\n'),
        Member("run/Übersicht 日本 😀.md", "ü".encode() * 400),
        Absent("t7", "expired"),
    ],
    [],
]


def test_other_programs_find_nothing_wrong(tool, tmp_path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(make_archive(SOME)[0])
    done = subprocess.run(tool(path), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_export_without_rows_is_an_archive_with_its_manifest() -> None:
    data, layout = make_archive([[]])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [MANIFEST]
        assert yaml.safe_load(archive.read(MANIFEST))["members"] == []
    assert layout.records == 0


@pytest.mark.parametrize(
    "parts",
    [
        [[Member("a/b", b"1")], [Member("a/b", b"2")]],
        [[Member("a/b", b"1"), Member("a/b", b"2")]],
        [[Member("a/b", b"1")], [Member("A/b", b"2")]],
        [[Member("a/b", b"1")], [Piece("A/B", b"2")]],
        [[Member(MANIFEST, b"")]],
        [[Piece(MANIFEST.upper(), b"")]],
    ],
)
def test_two_members_of_one_name_are_refused_by_name(parts) -> None:
    with pytest.raises(IntegrityError, match=r"one file on Windows and macOS: .* and .*\.") as caught:
        make_archive(parts)
    assert len(caught.value.problems) == 1


def test_more_members_than_a_plain_zip_counts(tmp_path) -> None:
    count = 66_000
    parts: list[list[Entry]] = [
        [Member(f"t/{n}.md", b"%d" % n, record=True) for n in range(half, count, 2)] for half in (0, 1)
    ]
    data, layout = make_archive(parts)
    assert (layout.members, layout.records) == (count + 1, count)
    assert layout.listing is None
    assert count > LISTED_MEMBERS_MAX
    path = tmp_path / "many.zip"
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == count + 1
        assert archive.read("t/65999.md") == b"65999"
    for command in (tool(path) for name, tool in TOOLS.items() if name != "zip" and shutil.which(name)):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


PROGRAM = """
import hashlib
from export_pipelines_tests.packaging.memory_staging import make_archive
from export_pipelines_tests.packaging.test_archive import SOME
print(hashlib.sha256(make_archive(SOME, head={"run": "Übersicht", "at": 1.5})[0]).hexdigest())
"""


def test_time_zone_locale_and_hash_seed_change_no_byte() -> None:
    environments = (
        {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
    )
    root = Path(__file__).parents[2]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env=env, cwd=root, capture_output=True, text=True, check=True
        ).stdout
        for env in environments
    }
    assert len(outputs) == 1


def test_the_order_in_which_parts_are_handed_over_changes_no_byte() -> None:
    from export_pipelines.packaging.archive import assemble
    from export_pipelines_tests.packaging.memory_staging import MemoryStaging

    files = set()
    for order in ((0, 1, 2), (2, 0, 1)):
        staging = MemoryStaging()
        parts = [staging.archive_part(index, SOME[index]) for index in order]
        layout = assemble(
            staging.open_segment, staging.stage, parts=parts, manifest_name=MANIFEST, manifest_head={"run": "r"}
        )
        files.add(staging.join(layout.segments))
    assert len(files) == 1
