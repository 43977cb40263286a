"""A shard's entries as one part: finished members, runs behind them, and a list of what lies where."""

import hashlib
import io
import zlib

import pytest
from hypothesis import given

from export_pipelines.core.archive import Absent, Entry, Member, Piece
from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging import segments
from export_pipelines.packaging.deflating import END_OF_STREAM, RAW
from export_pipelines.packaging.part_index import MemberEntry, PartIndex, RunEntry
from export_pipelines.packaging.segments import PartTotals, SpanningDigests, write_part
from export_pipelines.packaging.zip_records import DEFLATED, STORED, local_header
from export_pipelines_tests.packaging.archive_entries import contents, shards
from export_pipelines_tests.packaging.memory_staging import MemoryStaging


def written(entries: list[Entry], digests: SpanningDigests | None = None) -> tuple[bytes, PartIndex, PartTotals]:
    staging = MemoryStaging()
    body = io.BytesIO()
    with staging.stage("index") as index:
        totals = write_part(entries, body=body, index=index, digests=digests)
    return body.getvalue(), PartIndex(staging.open_segment, staged=index.staged), totals


def content_of(body: bytes, entry: MemberEntry) -> bytes:
    header = local_header(
        entry.name.encode(), method=entry.method, crc32=entry.crc32, packed=entry.packed, size=entry.size
    )
    assert body[entry.at : entry.at + len(header)] == header
    packed = body[entry.at + len(header) :][: entry.packed]
    return zlib.decompress(packed, RAW) if entry.method == DEFLATED else packed


def content_of_run(body: bytes, run: RunEntry) -> bytes:
    return zlib.decompress(body[run.at : run.at + run.packed] + END_OF_STREAM, RAW)


@given(entries=shards().map(lambda found: found[0]))
def test_the_list_says_what_lies_where(entries) -> None:
    body, index, totals = written(entries)
    members = list(index.members(base=0))
    found = {entry.name: content_of(body, entry) for entry in members}
    found |= {run.name: content_of_run(body, run) for run in index.runs}
    assert found == contents([entries])
    for entry in (*members, *index.runs):
        assert (entry.size, entry.crc32) == (len(found[entry.name]), zlib.crc32(found[entry.name]))
    assert all(entry.sha256 == hashlib.sha256(found[entry.name]).hexdigest() for entry in members)
    assert sorted(index.absent(), key=repr) == sorted((row for row in entries if isinstance(row, Absent)), key=repr)
    assert totals.records == sum(entry.record for entry in members) == index.head.records
    assert totals.content_bytes == sum(map(len, found.values()))


@given(entries=shards().map(lambda found: found[0]))
def test_every_byte_of_the_body_belongs_to_one_entry(entries) -> None:
    body, index, _ = written(entries)
    members = sorted(index.members(base=0), key=lambda entry: entry.at)
    ends = [entry.at + 30 + len(entry.name.encode()) + entry.packed for entry in members]
    assert [entry.at for entry in members] == [0, *ends][: len(members)]
    assert index.head.whole_bytes == (ends[-1] if ends else 0)
    assert len(body) == index.head.whole_bytes + sum(run.packed for run in index.runs)


def test_members_are_listed_by_name_and_lie_in_the_order_they_came() -> None:
    _, index, _ = written([Member("b", b"2"), Member("é", b"3"), Member("a", b"1"), Member("Z", b"0")])
    listed = list(index.members(base=1000))
    assert [entry.name for entry in listed] == ["Z", "a", "b", "é"]
    assert min(listed, key=lambda entry: entry.at).name == "b"
    assert min(entry.at for entry in listed) == 1000


def test_text_that_would_grow_is_stored() -> None:
    _, index, _ = written([Member("short", b"ab"), Member("long", b"ab" * 100), Member("empty", b"")])
    assert {entry.name: entry.method for entry in index.members(base=0)} == {
        "short": STORED,
        "empty": STORED,
        "long": DEFLATED,
    }


def test_a_stored_member_lies_in_the_body_as_it_is() -> None:
    table = b"abc" * segments.CHUNK_BYTES
    body, index, totals = written([Member("a", b"1"), Member("t", table, rows=7, stored=True), Member("z", b"2")])
    entry = next(entry for entry in index.members(base=0) if entry.name == "t")
    assert (entry.method, entry.packed, entry.rows) == (STORED, len(table), 7)
    assert content_of(body, entry) == table
    assert totals.records == 7


def test_a_long_run_waits_on_disk_and_comes_out_the_same(monkeypatch) -> None:
    entries = [Piece("all.jsonl", b"%d " % number * 50) for number in range(2000)]
    in_memory = written(list(entries))[0]
    monkeypatch.setattr(segments, "_RUN_IN_MEMORY", 100)
    assert written(list(entries))[0] == in_memory


@given(shards=shards())
def test_parts_written_one_after_the_other_know_what_spanning_members_come_to(shards) -> None:
    digests = SpanningDigests()
    for number, entries in enumerate(shards, start=1):
        _, index, _ = written(entries, digests)
        so_far = contents(shards[:number])
        for run in index.runs:
            assert run.sha256_so_far == hashlib.sha256(so_far[run.name]).hexdigest()
        assert all(run.sha256_so_far is None for run in written(entries)[1].runs)


def test_a_part_without_entries_is_empty_but_listed() -> None:
    body, index, totals = written([])
    assert body == b""
    assert list(index.members(base=0)) == []
    assert totals == PartTotals(records=0, members=0, runs=0, absent=0, content_bytes=0)


@pytest.mark.parametrize("entry", [Member("../x", b""), Piece("/x", b"")])
def test_a_name_that_leads_outside_is_refused(entry) -> None:
    with pytest.raises(IntegrityError, match="Archive member"):
        written([entry])
