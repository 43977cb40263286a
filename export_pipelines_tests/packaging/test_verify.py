"""Verification of flat files: whatever byte changes, it is found, and the shard it lies in is named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.packaging.codecs import CODECS, compress
from export_pipelines.packaging.flat import lay_out
from export_pipelines.packaging.sidecar import SidecarManifest
from export_pipelines.packaging.verify import verify_file
from export_pipelines_tests.packaging.memory_staging import MemoryStaging, opener
from export_pipelines_tests.packaging.sidecars import of_flat

SAMPLES = {
    "csv": (b"id,text\r\n", [b'1,"a\n""b"""\r\n2,c\r\n', b"3,d\r\n"], b""),
    "jsonl": (b"", [b'{"a":1}\n', b"", b'{"b":2}\n{"c":3}\n'], b""),
    "yaml": (b"scenarios:\n", [b"  a: {x: 1}\n  b: {y: 2}\n", b"  c: {}\n"], b"more: {a: 1, b: 2, c: 3}\n"),
    "markdown": (b"", [b"---\nname: x\n---\n\n# Preamble\n"], b""),
}
RECORDS = {"csv": [2, 1], "jsonl": [1, 0, 2], "yaml": [2, 1], "markdown": [1]}


def made(format_name: str, codec: str) -> tuple[bytes, SidecarManifest]:
    staging = MemoryStaging()

    def packed(data: bytes) -> bytes:
        return b"".join(compress([data], codec))

    head, bodies, tail = SAMPLES[format_name]
    layout = lay_out(
        parts=[
            staging.flat_part(index, packed(body), records=RECORDS[format_name][index])
            for index, body in enumerate(bodies)
        ],
        head=staging.put("head", packed(head)) if head else None,
        tail=staging.put("tail", packed(tail)) if tail else None,
    )
    data = staging.join(layout.segments)
    return data, of_flat(data, layout, format_name=format_name, codec=codec)


KINDS = [(format_name, codec) for format_name in SAMPLES for codec in CODECS]
FILES = {kind: made(*kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_as_it_was_made_has_no_problem(kind, tmp_path) -> None:
    data, manifest = FILES[kind]
    found = verify_file(opener(data), manifest=manifest)
    assert found.problems == ()
    path = tmp_path / "file"
    path.write_bytes(data)
    assert verify_file(path, manifest=manifest) == found
    assert (f"{sum(RECORDS[kind[0]])} records" in found.checked) is (kind[0] != "markdown")


@given(kind=st.sampled_from(KINDS), data=st.data())
def test_any_changed_byte_is_found_and_its_shard_named(kind, data) -> None:
    content, manifest = FILES[kind]
    at = data.draw(st.integers(0, len(content) - 1))
    changed = content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :]
    problems = verify_file(opener(changed), manifest=manifest).problems
    shard = next((s for s in manifest.shards if s.offset <= at < s.offset + s.size), None)
    named = "before the first or behind the last" if shard is None else f"shard {shard.index} (bytes {shard.offset} to"
    assert any(named in problem for problem in problems), problems
    assert sum("(bytes" in problem for problem in problems) == (shard is not None)
    assert any("the file's SHA-256" in problem for problem in problems)


@given(kind=st.sampled_from(KINDS), cut=st.integers(1, 20), more=st.binary(min_size=1, max_size=20))
def test_a_file_of_another_length_is_found(kind, cut, more) -> None:
    content, manifest = FILES[kind]
    for changed in (content[:-cut], content + more):
        problems = verify_file(opener(changed), manifest=manifest).problems
        assert f"the file's size in bytes is {len(changed)}, the manifest states {len(content)}" in problems


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[0] != "markdown"])
def test_a_wrong_count_is_named_even_when_all_bytes_are_right(kind) -> None:
    data, manifest = FILES[kind]
    problems = verify_file(opener(data), manifest=replace(manifest, record_count=7)).problems
    assert "the number of records is 3, the manifest states 7" in problems
    assert "the sum of the shards' records is 3, the manifest states 7" in problems


def test_rows_that_do_not_add_up_are_named() -> None:
    data, manifest = FILES["csv", "none"]
    problems = verify_file(opener(data), manifest=replace(manifest, counted_rows=4)).problems
    assert problems == ("the sum of the shards' rows is 3, the manifest states 4",)


def test_a_file_that_cannot_be_unpacked_says_so() -> None:
    data, manifest = FILES["jsonl", "gzip"]
    problems = verify_file(opener(data[:15]), manifest=manifest).problems
    assert any("the records cannot be counted: the compressed data is cut off" in problem for problem in problems)
