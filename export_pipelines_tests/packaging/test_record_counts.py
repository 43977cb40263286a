"""Counting records without the renderer that wrote them, against independent parsers."""

import csv
import io

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.record_counts import count_records

CELL = st.text(st.sampled_from('a",\n\r é'), max_size=6)


def count(data: bytes, format_name: str, *, cut: int = 7) -> int | None:
    return count_records(iter([data[at : at + cut] for at in range(0, len(data), cut)]), format_name=format_name)


@given(
    rows=st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=8),
    cut=st.integers(1, 9),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_csv_rows_are_those_the_csv_module_reads_without_the_header(rows, cut, end) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["x", "y"])
    writer.writerows(rows)
    data = text.getvalue().encode()
    read = list(csv.reader(io.StringIO(text.getvalue(), newline="")))
    assert count(data, "csv", cut=cut) == len(read) - 1 == len(rows)


def test_a_csv_without_a_header_has_no_rows() -> None:
    assert count(b"", "csv") == 0


@pytest.mark.parametrize(("data", "reason"), [(b"a,b\n1,", "no end"), (b'a\n"1\n', "never closed")])
def test_a_csv_that_breaks_off_is_an_error(data, reason) -> None:
    with pytest.raises(IntegrityError, match=reason):
        count(data, "csv")


@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), max_size=8),
    cut=st.integers(1, 9),
)
def test_json_lines_are_counted_by_lf_alone(lines, cut) -> None:
    assert count("".join(f"{line}\n" for line in lines).encode(), "jsonl", cut=cut) == len(lines)


def test_a_last_line_without_end_is_an_error() -> None:
    with pytest.raises(IntegrityError, match="last line"):
        count(b'{"a":1}\n{"b"', "jsonl")


YAML_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    preamble=YAML_TEXT,
    scenarios=st.dictionaries(
        YAML_TEXT, st.dictionaries(YAML_TEXT, YAML_TEXT | st.lists(YAML_TEXT, max_size=2), max_size=3), max_size=5
    ),
    cut=st.integers(1, 50),
)
def test_scenarios_are_the_entries_of_that_mapping_alone(preamble, scenarios, cut) -> None:
    document = {"preamble": preamble, "scenarios": scenarios, "more": {"a": 1, "b": 2}, "list": ["scenarios", {"x": 1}]}
    data = yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()
    assert count(data, "yaml", cut=cut) == len(scenarios)


def test_yaml_that_is_none_is_an_error_with_the_place() -> None:
    with pytest.raises(IntegrityError, match=r"no YAML: .*line 3"):
        count(b"scenarios:\n  a: [1,\nb: }\n", "yaml", cut=100)


def test_a_damaged_stream_below_the_yaml_parser_is_reported_as_what_it_is() -> None:
    def chunks():
        yield b"scenarios:\n"
        raise IntegrityError("the gzip data is damaged")

    with pytest.raises(IntegrityError, match="the gzip data is damaged"):
        count_records(chunks(), format_name="yaml")


def test_formats_without_records_are_not_counted() -> None:
    assert count(b"# A definition", "markdown") is None
