"""The sidecar: canonical bytes, read back equal, refused clearly."""

import json
from dataclasses import replace

import pytest
from hypothesis import given

from export_pipelines.core.errors import ValidationError
from export_pipelines.packaging.sidecar import build, read
from export_pipelines_tests.packaging.sidecars import PLAIN, SIDECARS


@given(manifest=SIDECARS)
def test_what_was_built_is_read_back_equal(manifest) -> None:
    assert read(build(manifest)) == manifest


@given(manifest=SIDECARS)
def test_the_bytes_are_canonical(manifest) -> None:
    data = build(manifest)
    assert build(read(data)) == data
    assert data.endswith(b"}\n")
    assert b"\r" not in data
    text = data.decode()
    assert (
        text
        == json.dumps(json.loads(text), sort_keys=True, indent=2, ensure_ascii=False)
        .encode("utf-8", "backslashreplace")
        .decode()
        + "\n"
    )


def test_it_reads_like_something_a_person_wrote() -> None:
    text = build(PLAIN).decode()
    assert text.startswith('{\n  "counted_rows": 0,\n  "created_at": "2025-03-01T12:30:00.250000Z",\n')
    assert '"name": "日本"' in text
    assert '"format_version": 1' in text


def test_half_a_surrogate_pair_survives() -> None:
    manifest = replace(PLAIN, subject={"name": "\ud83d"})
    assert b'"\\ud83d"' in build(manifest)
    assert read(build(manifest)) == manifest


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "format_version None"),
        (b'{"format_version": 99}', "format_version 99; known is 1"),
        (b'{"format_version": 1}', "missing required field `job`"),
        (build(PLAIN).replace(b'"size": 3', b'"size": "3"'), r"Expected `int`, got `str` - at `\$.file.size`"),
        (build(PLAIN).replace(b"2025-03-01T", b"2025-13-01T"), "created_at"),
    ],
)
def test_what_is_no_sidecar_is_refused_with_place_and_reason(data, reason) -> None:
    with pytest.raises(ValidationError, match=reason):
        read(data)


def test_fields_of_a_later_release_are_passed_over() -> None:
    data = build(PLAIN).replace(b'"format_version"', b'"signature": {"key": 1},\n  "format_version"')
    assert read(data) == PLAIN
