"""Names of downloads: harmless in the header and on the disk, and as close to the wanted one as that allows."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from export_pipelines.storage.disposition import content_disposition

# RFC 6266 with RFC 8187's ext-value.
_QUOTED = r'"([\x20\x21\x23-\x5b\x5d-\x7e]+)"'
_EXTENDED = r"UTF-8''((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})+)"
GRAMMAR = re.compile(rf"attachment; filename={_QUOTED}(?:; filename\*={_EXTENDED})?")


def saved_as(value: str) -> str:
    match = GRAMMAR.fullmatch(value)
    assert match, value
    return unquote(match[2], errors="strict") if match[2] else match[1]


@given(st.text(alphabet=st.characters(codec=None)))
@example("a\r\nSet-Cookie: x=y")
@example('a"; filename="b.exe')
@example("../../etc/passwd")
@example("gpj\u202eexe.csv")
@example("100%41.csv")
@example("x" * 1000 + ".csv")
@example("\ud800.csv")
def test_any_name_gives_a_legal_header_and_a_harmless_file(name: str) -> None:
    value = content_disposition(name)
    assert value.isascii()
    assert value.isprintable()
    saved = saved_as(value)
    assert 0 < len(saved) <= 180
    assert not set(saved) & set('/\\"\r\n\0\u202e')
    assert saved not in (".", "..")
    assert not saved.startswith(".")


@pytest.mark.parametrize("name", ["run_7.csv", "Отчёт №1.zip", "日本語.jsonl", "a b+c&d;e='f'.md", "ünï.yaml"])
def test_ordinary_names_of_any_script_are_kept(name: str) -> None:
    assert saved_as(content_disposition(name)) == name


def test_plain_names_need_one_form_only() -> None:
    assert content_disposition("run_7.csv") == 'attachment; filename="run_7.csv"'


def test_an_independent_parser_reads_the_same_name() -> None:
    kind, options = parse_options_header(content_disposition("été 1.csv"))
    assert (kind, options) == ("attachment", {"filename": "été 1.csv"})


def test_long_names_keep_their_ending() -> None:
    assert saved_as(content_disposition("é" * 500 + ".csv")).endswith("é.csv")


def test_a_name_of_nothing_gets_one() -> None:
    assert content_disposition(" .. ") == 'attachment; filename="download"'
