"""Records one by one: the same as an independent reader finds, however the bytes were cut."""

import csv
import io
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.records import PART, RECORD, Item, fields_of, read_items

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


def items(data: bytes, format_name: str, *, cut: int = 7) -> list[Item]:
    chunks = (data[at : at + cut] for at in range(0, len(data), cut))
    return list(read_items(chunks, format_name=format_name, id_name="id"))


@given(
    rows=st.lists(st.dictionaries(TEXT, st.text(max_size=5) | st.integers(), max_size=3), max_size=5),
    cut=st.integers(1, 40),
)
def test_lines_are_records_by_their_id(rows, cut) -> None:
    numbered = [{**row, "id": f"t{number}"} for number, row in enumerate(rows)]
    data = b"".join(json.dumps(row).encode() + b"\n" for row in numbered)
    found = items(data, "jsonl", cut=cut)
    assert [(item.kind, item.id) for item in found] == [(RECORD, row["id"]) for row in numbered]
    assert [fields_of(item) for item in found] == numbered


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5), cut=st.integers(1, 40), bom=st.booleans())
def test_rows_are_records_by_the_names_of_their_columns(rows, cut, bom) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(["a", "id", "b"])
    writer.writerows([a, str(number), b] for number, (a, b) in enumerate(rows))
    head, *found = items(sink.getvalue().encode("utf-8-sig" if bom else "utf-8"), "csv", cut=cut)
    assert (head.kind, head.id, json.loads(head.data)) == (PART, "columns", ["a", "id", "b"])
    expected = csv.DictReader(io.StringIO(sink.getvalue(), newline=""))
    assert [fields_of(item) for item in found] == [
        {name: cell for name, cell in row.items() if cell} for row in expected
    ]
    assert [item.id for item in found] == [str(number) for number in range(len(rows))]


def test_a_cell_may_be_longer_than_the_csv_module_likes() -> None:
    _, row = items(b'id,a\r\n1,"' + b"x" * 300_000 + b'"\r\n', "csv", cut=65536)
    assert len(fields_of(row)["a"]) == 300_000


@given(
    entries=st.dictionaries(TEXT, st.dictionaries(TEXT, TEXT, max_size=3), max_size=4),
    preamble=TEXT,
    last=st.booleans(),
)
def test_entries_are_records_by_their_keys_wherever_the_scenarios_stand(entries, preamble, last) -> None:
    document = {"preamble": preamble, "scenarios": entries} if last else {"scenarios": entries, "preamble": preamble}
    data = yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()
    found = items(data, "yaml")
    read = yaml.safe_load(data)
    assert {item.id: fields_of(item) for item in found if item.kind == RECORD} == read["scenarios"]
    assert [fields_of(item) for item in found if item.kind == PART] == [{"preamble": read["preamble"]}]


def test_what_yaml_has_beside_scalars_is_passed_over() -> None:
    data = b"more: {a: {scenarios: 1}, b: [1, 2]}\nscenarios:\n  k: {x: [1, {y: 2}], body: text}\nlast: 1\n"
    assert [(item.kind, item.id) for item in items(data, "yaml")] == [(PART, "more"), (RECORD, "k"), (PART, "last")]
    assert fields_of(items(data, "yaml")[1]) == {"x": "", "body": "text"}


def test_half_a_surrogate_pair_and_a_huge_number_are_read() -> None:
    [item] = items(b'{"id": "a", "text": "\\ud83d", "n": 1e400}\n', "jsonl")
    assert fields_of(item)["text"] == "\ud83d"


@pytest.mark.parametrize(
    ("format_name", "data"),
    [
        ("jsonl", b"{\n"),
        ("jsonl", b"[1]\n"),
        ("jsonl", b'{"a": 1}\n'),
        ("csv", b"a,b\r\n1,2\r\n"),
        ("csv", b"id,b\r\n1\r\n"),
        ("csv", b'id,b\r\n1,"x"y\r\n'),
        ("csv", b"id,b\r\n\xff,1\r\n"),
        ("yaml", b"a: [\n"),
    ],
)
def test_what_is_not_of_the_format_is_refused(format_name, data) -> None:
    with pytest.raises(IntegrityError):
        items(data, format_name)


def test_what_has_no_fields_is_one() -> None:
    assert fields_of(Item(kind=RECORD, id="x", data=b"# text")) == {"content": b"# text"}
    assert fields_of(Item(kind=PART, id="x", data=b"[1]")) == {"content": [1]}
