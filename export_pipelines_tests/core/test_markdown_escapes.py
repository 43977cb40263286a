"""Escapes of the definition's Markdown file: only where needed, and always reversible."""

import pytest
from hypothesis import given

from export_pipelines.core.markdown_escapes import (
    BLANKS,
    CELL,
    LINE_BREAKS,
    OPTION,
    VALUE,
    VALUE_OF_LIST,
    escape_text,
    unescape_cell,
    unescape_text,
)
from export_pipelines_tests.definition_contents import TEXT

KINDS = {"VALUE": VALUE, "VALUE_OF_LIST": VALUE_OF_LIST, "CELL": CELL, "OPTION": OPTION}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(text=TEXT)
def test_a_cell_is_one_line_that_nobody_trims_and_comes_back(kind, text):
    escaped = kind.escape(text)
    assert unescape_cell(escaped.text) == text
    assert escaped.text == escaped.text.strip(BLANKS) != ""
    assert not set(LINE_BREAKS) & set(escaped.text)
    assert bool(escaped.causes) == (escaped.text != text)


@given(TEXT)
def test_separators_never_stand_in_a_cell(text):
    assert "|" not in CELL.escape(text).text
    assert not set("|,") & set(OPTION.escape(text).text)
    assert "," not in VALUE_OF_LIST.escape(text).text


@given(TEXT)
def test_section_text_starts_no_section_and_comes_back(text):
    escaped = escape_text(text)
    assert unescape_text(escaped.text) == text
    assert bool(escaped.causes) == (escaped.text != text)
    for line in escaped.text.splitlines():
        assert line != "#"
        assert not line.startswith(tuple(f"#{blank}" for blank in BLANKS))


@pytest.mark.parametrize(
    "text", ["C:\\new", "R&D", "&amp; &#39; &nbsp; &#x27;", "#tag", "## x", "a # b", "50 %", "“a”, b"]
)
def test_ordinary_text_stays_as_it_is(text):
    assert escape_text(text).text == text
    assert VALUE.escape(text).text == text


@pytest.mark.parametrize(
    ("text", "written"), [("# a", "\\# a"), ("\\# a", "\\\\# a"), ("&#38;", "&#38;#38;"), ("a\ud800", "a\ufffd")]
)
def test_what_looks_like_an_escape_is_escaped(text, written):
    assert escape_text(text).text == written
