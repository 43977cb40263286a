import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering import csv_cells
from export_pipelines_tests.rendering.hostile import TEXTS

SIGNS = ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫"]


def read(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))


@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_a_strict_reader_gets_every_text_back(texts):
    line = b",".join(csv_cells.quoted(text.encode()) for text in texts) + csv_cells.END_OF_LINE
    assert read(line) == [texts]


@pytest.mark.parametrize("text", [b"a\rb", b"a\nb", b"a\r\nb", b"a,b", b'a"b'])
def test_line_ends_commas_and_quotes_put_a_cell_in_quotes(text):
    assert csv_cells.quoted(text) == b'"' + text.replace(b'"', b'""') + b'"'


def test_other_texts_stand_as_they_are():
    for text in (b" a ", b"a;b", b"'a'", "日本\u2028".encode()):
        assert csv_cells.quoted(text) == text


def test_for_programs_null_is_nothing_and_an_empty_text_is_quoted():
    assert csv_cells.exact(None) == b""
    assert csv_cells.exact(b"") == b'""'
    assert csv_cells.exact(b"=1") == b"=1"


@given(TEXTS)
def test_a_safe_cell_never_begins_like_a_formula_and_says_so_when_it_changed(text):
    report = FidelityReport()
    cell = csv_cells.SafeCells(report).cell(text.encode(), "Decision Text", b"ct1")
    [[shown], _] = read(cell + b"\r\nend\r\n") if text else [[""], None]
    if text.startswith(tuple(SIGNS)):
        assert shown == "'" + text
        [note] = report
        assert (note.kind, note.where, note.count) == ("formula_neutralised", "column Decision Text", 1)
        assert note.examples == ("ct1",)
    else:
        assert shown == text
        assert not report
    assert not shown.startswith(tuple(SIGNS))


@given(TEXTS)
def test_what_needs_a_report_is_left_to_the_one_who_reports(text):
    report = FidelityReport()
    cell = csv_cells.SafeCells(report).cell(text.encode(), "c", b"ct1")
    assert csv_cells.safe_cell(text.encode()) == (b"" if report else cell)


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("a" * 32_767, False),
        ("a" * 32_768, True),
        ("é" * 32_767, False),
        ("𝔘" * 16_383, False),
        ("𝔘" * 16_384, True),
        ("a b" * 20_000, True),
    ],
)
def test_what_excel_would_cut_is_whole_and_reported(text, over):
    report = FidelityReport()
    assert csv_cells.SafeCells(report).cell(text.encode(), "c", b"ct1") == text.encode()
    assert [note.kind for note in report] == (["cell_over_excel_limit"] if over else [])


def test_column_names_that_are_formulas_are_neutralised_and_reported():
    assert csv_cells.safe_name("=Freedom") == b"'=Freedom"
    assert csv_cells.safe_name("Freedom") == b"Freedom"
    [note] = csv_cells.notes_on_names(["Freedom", "=Freedom"])
    assert (note.kind, note.where) == ("formula_neutralised", "header =Freedom")
