"""Verification of archives: damage, missing and added members are found and named."""

import io
import zipfile
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from export_pipelines.core.archive import Entry, Member, Piece
from export_pipelines.packaging import verify_archive
from export_pipelines.packaging.sidecar import MemberList, SidecarManifest
from export_pipelines.packaging.verify import verify_file
from export_pipelines_tests.packaging.archive_entries import shards
from export_pipelines_tests.packaging.memory_staging import MANIFEST, make_archive, opener
from export_pipelines_tests.packaging.sidecars import facts_of, of_archive

PARTS: list[list[Entry]] = [
    [
        Member("run/a.md", b"Hello " * 60, record=True),
        Member("run/b.md", b"short", record=True),
        Piece("run/x", b"1" * 99),
    ],
    [Member("run/é.md", "日本".encode() * 30, record=True), Piece("run/x", b"2" * 99)],
]
DATA, LAYOUT = make_archive(PARTS)
LISTED = of_archive(DATA, LAYOUT)
BY_REFERENCE = replace(LISTED, members=None)
MANIFESTS = {"listed in the sidecar": LISTED, "listed in the archive": BY_REFERENCE}


def problems_of(data: bytes, manifest: SidecarManifest) -> tuple[str, ...]:
    return verify_file(opener(data), manifest=manifest).problems


def member_at(at: int) -> str | None:
    """The member whose header or data holds this byte."""
    starts = sorted((info.header_offset, info.filename) for info in zipfile.ZipFile(io.BytesIO(DATA)).infolist())
    end = zipfile.ZipFile(io.BytesIO(DATA)).start_dir
    return None if at >= end else [name for start, name in starts if start <= at][-1]


@given(parts=shards())
def test_an_archive_as_it_was_made_has_no_problem(parts) -> None:
    data, layout = make_archive(parts)
    manifest = of_archive(data, layout)
    for stated in (manifest, replace(manifest, members=None)):
        found = verify_file(opener(data), manifest=stated)
        assert found.problems == ()
        assert f"{layout.members} members" in found.checked


@pytest.mark.parametrize("how", MANIFESTS)
def test_any_changed_byte_is_found_and_named(how) -> None:
    for at in range(len(DATA)):
        changed = DATA[:at] + bytes([DATA[at] ^ (1 + at % 255)]) + DATA[at + 1 :]
        problems = problems_of(changed, MANIFESTS[how])
        assert any("the file's SHA-256" in problem for problem in problems)
        named = member_at(at)
        # Deflate has a few bits without meaning: what pads a flush to a whole byte.
        wanted = ("directory", "end record", "missing") if named is None else (f"member {named}", "hold no content")
        assert any(text in problem for problem in problems[1:] for text in wanted), f"byte {at} of {named}: {problems}"


def test_changed_bytes_without_content_are_told_from_damage() -> None:
    spare = sum(
        problems_of(DATA[:at] + bytes([DATA[at] ^ 0x80]) + DATA[at + 1 :], LISTED)[-1].endswith("hold no content")
        for at in range(len(DATA))
    )
    assert 0 < spare < 10


def rezipped(*, without: str | None = None, added: dict[str, bytes] | None = None, swap: bool = False) -> bytes:
    """The archive made anew, whole in itself, with members left out or added."""
    parts = [[entry for entry in part if entry.name != without] for part in PARTS]
    parts[0].extend(Member(name, content) for name, content in (added or {}).items())
    return make_archive(parts)[0]


def test_a_missing_member_is_named() -> None:
    data = rezipped(without="run/a.md")
    manifest = replace(LISTED, file=facts_of(data, format_name="zip"))
    problems = problems_of(data, manifest)
    assert "member run/a.md is missing" in problems
    assert "the number of records is 2, the manifest states 3" in problems
    assert not any("run/b.md" in problem for problem in problems)


def test_an_added_member_is_named() -> None:
    data = rezipped(added={"run/aa.md": b"new", "zzz": b""})
    problems = problems_of(data, replace(LISTED, file=facts_of(data, format_name="zip")))
    assert {"member run/aa.md was added", "member zzz was added"} <= set(problems)
    assert not any("run/b.md" in problem for problem in problems)


def test_an_archive_packed_again_by_another_program_names_its_members() -> None:
    buffer = io.BytesIO(DATA)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("run/extra.md", b"appended")
    problems = problems_of(buffer.getvalue(), LISTED)
    assert any("run/extra.md" in problem for problem in problems), problems


def test_content_exchanged_under_one_name_is_named() -> None:
    parts = [[Member("run/a.md", b"Other" * 72, record=True), *PARTS[0][1:]], PARTS[1]]
    data = make_archive(parts)[0]
    problems = problems_of(data, replace(LISTED, file=facts_of(data, format_name="zip")))
    assert any(problem.startswith("member run/a.md: its SHA-256 is") for problem in problems)


def test_a_list_inside_that_was_changed_is_not_believed() -> None:
    data, _ = make_archive([[*PARTS[0], Member("run/new", b"")], PARTS[1]])
    problems = problems_of(data, replace(BY_REFERENCE, file=facts_of(data, format_name="zip")))
    assert f"the archive cannot be read any further: member {MANIFEST}, which lists the others, was changed" in str(
        problems
    )


def test_a_wrong_number_of_members_is_named() -> None:
    stated = MemberList(count=99, manifest=LAYOUT.manifest)
    assert problems_of(DATA, replace(LISTED, member_list=stated)) == (
        f"the number of members is {LAYOUT.members}, the manifest states 99",
    )


def test_a_wrong_number_of_records_is_named() -> None:
    assert problems_of(DATA, replace(LISTED, record_count=4)) == ("the number of records is 3, the manifest states 4",)


def table_of(rows: int) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table({"n": list(range(rows))}), file)
    return file.getvalue()


@pytest.mark.parametrize("stated", [3, 0])
def test_rows_of_a_table_are_counted_in_the_table_itself(stated) -> None:
    data, layout = make_archive([[Member("run/t.parquet", table_of(3), rows=stated, stored=True)]])
    found = verify_file(opener(data), manifest=of_archive(data, layout)).problems
    wrong = f"member run/t.parquet: its number of rows is 3, the manifest states {stated}"
    assert found == (() if stated == 3 else (wrong,))


def test_a_table_that_is_none_is_named() -> None:
    data, layout = make_archive([[Member("run/t.parquet", b"PAR1", rows=0, stored=True)]])
    [problem] = verify_file(opener(data), manifest=of_archive(data, layout)).problems
    assert problem.startswith("member run/t.parquet: its rows cannot be counted: ")


@pytest.mark.parametrize("data", [b"", b"no zip at all", DATA[:-1], DATA[: len(DATA) // 2]])
def test_what_is_no_archive_is_a_problem_and_no_exception(data) -> None:
    assert any("cannot be read" in problem for problem in problems_of(data, LISTED))


@given(
    found=st.lists(st.integers(0, 40).map(str), unique=True),
    stated=st.lists(st.integers(0, 40).map(str), unique=True),
)
def test_lists_in_any_order_are_matched_by_name(found, stated) -> None:
    members = {name: facts_of(name.encode(), format_name="zip") for name in found}
    there = [replace(facts, name=name) for name, facts in members.items()]
    listed = [replace(facts_of(b"", format_name="zip"), name=name) for name in stated]
    pairs = [(one and one.name, other and other.name) for one, other in verify_archive._paired(there, listed)]
    assert sorted(pairs, key=str) == sorted(
        [(name, name) for name in set(found) & set(stated)]
        + [(name, None) for name in set(found) - set(stated)]
        + [(None, name) for name in set(stated) - set(found)],
        key=str,
    )
