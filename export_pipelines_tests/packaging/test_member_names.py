"""Names inside an archive: no way out of the folder, no two that are one file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.member_names import NameClashes, SuspectNames, encode_name


@pytest.mark.parametrize("name", ["a", "run/transcripts/transcript.s-1.gpt-4.md", "été/日本.md", "..a/b..", "ab:c"])
def test_ordinary_names_are_taken_as_utf_8(name) -> None:
    assert encode_name(name) == name.encode()


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "a//b", "a/", "../a", "a/../b", "a/./b", ".", "a\\b", "C:/a", "c:a", "a\nb", "a\0", "\x7f",
     "a\x85b", "\ud800"],
)  # fmt: skip
def test_names_that_lead_astray_are_refused_by_name(name) -> None:
    with pytest.raises(IntegrityError, match="Archive member"):
        encode_name(name)


def test_a_name_too_long_for_the_format_is_refused() -> None:
    with pytest.raises(IntegrityError, match="65535 bytes"):
        encode_name("é" * 40_000)


def clashing(names: list[str]) -> tuple[str, ...]:
    first = NameClashes()
    for name in names:
        first.add(name)
    second = SuspectNames(first.suspects())
    for name in names:
        second.add(name)
    return second.clashes()


@given(names=st.lists(st.text(st.sampled_from("aAbBßẞ"), min_size=1, max_size=3), max_size=30))
def test_exactly_the_names_that_differ_in_case_only_are_found(names) -> None:
    folded = [name.casefold() for name in names]
    assert bool(clashing(names)) == (len(set(folded)) < len(folded))


def test_every_clash_is_named() -> None:
    assert clashing(["a/b", "x", "A/b", "X", "y"]) == ("a/b and A/b", "x and X")
    assert clashing(["a", "a"]) == ("a and a",)
