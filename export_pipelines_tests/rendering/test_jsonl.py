import json
import math
import re
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import ContentError, IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering.jsonl import TranscriptsJsonl
from export_pipelines_tests.golden_files import assert_golden
from export_pipelines_tests.rendering.contexts import SCENARIOS, run_context
from export_pipelines_tests.rendering.copy_rows import Jsonb, row
from export_pipelines_tests.rendering.hostile import CHARACTERS, JSON, TEXTS, contents, facts
from export_pipelines_tests.rendering.sample_transcripts import rows

COLUMNS = [
    "id", "scenario_id", "target_model", "model_version", "content", "turn_count", "token_count", "duration_ms",
    "estimated_cost", "decision_code", "decision_text", "created_at", "content_expires_at",
]  # fmt: skip
KEYS = [
    "transcript_id", "run_id", "definition_id", "scenario_id", "target_model", "model_version", "turn_count",
    "token_count", "duration_ms", "estimated_cost", "decision_code", "decision_text", "created_at",
    "content_expires_at", "content", "scenario",
]  # fmt: skip


def written(transcripts, context=None):
    report, format_, context = FidelityReport(), TranscriptsJsonl(), context or run_context()
    rows = (row(*(transcript[name] for name in COLUMNS)) for transcript in transcripts)
    body = b"".join(format_.body(rows, context, report))
    return format_.head(context) + body + format_.tail(context), report


def expected(transcript):
    line = {"transcript_id" if name == "id" else name: value for name, value in transcript.items()}
    line |= {"run_id": "crun1", "definition_id": "cdef1", "scenario": SCENARIOS[transcript["scenario_id"]]}
    for name in ("created_at", "content_expires_at"):
        line[name] = line[name] and line[name].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    line["content"] = line["content"] and json.loads(line["content"].text)
    cost = line["estimated_cost"]
    line["estimated_cost"] = cost if cost is not None and math.isfinite(cost) else None
    return line


def plain(**changes):
    return {
        "id": "ct1",
        "scenario_id": "s1",
        "target_model": "openai:gpt-4.1",
        "model_version": None,
        "content": Jsonb({"turns": []}),
        "turn_count": 1,
        "token_count": 2,
        "duration_ms": 3,
        "estimated_cost": 0.25,
        "decision_code": "1",
        "decision_text": None,
        "created_at": datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC),
        "content_expires_at": None,
    } | changes


@given(st.lists(facts(st.dictionaries(TEXTS, JSON, max_size=3) | contents()), max_size=5))
def test_every_line_is_one_object_that_strict_readers_read_back_equal(transcripts):
    data, report = written(transcripts)
    lines = data.decode("utf-8").split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [expected(transcript) for transcript in transcripts]
    assert [orjson.loads(line) for line in lines] == [expected(transcript) for transcript in transcripts]
    assert all(list(json.loads(line)) == KEYS for line in lines)
    infinite = [
        t["id"] for t in transcripts if t["estimated_cost"] is not None and not math.isfinite(t["estimated_cost"])
    ]
    assert {(note.kind, note.count) for note in report} == (
        {("non_finite_number", len(infinite))} if infinite else set()
    )


@given(st.text(CHARACTERS | st.characters(categories=["Cs"]), max_size=20), st.booleans())
def test_a_lone_surrogate_is_replaced_and_reported_and_nothing_else_changes(text, ascii_only):
    """Such text cannot be jsonb, but a view over a json column can bring it, as escapes."""
    stored = json.dumps({"a": text, "b\\": "\\\\ud800"}, ensure_ascii=ascii_only).encode("utf-8", "backslashreplace")
    data, report = written([plain(content=Jsonb(text=stored.decode()))])
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if ascii_only else text
    mended = re.sub("[\ud800-\udfff]", "\ufffd", paired)
    assert orjson.loads(data)["content"] == {"a": mended, "b\\": "\\\\ud800"}
    lost = [note.as_json() for note in report]
    assert [(note["kind"], note["examples"]) for note in lost] == (
        [("lone_surrogate", ["ct1"])] if mended != paired else []
    )


def test_line_separators_of_unicode_stay_inside_the_line():
    data, _ = written([plain(content=Jsonb({"a": "x\u2028y\u2029z\x85"}), decision_text="\u2028")])
    assert data.count(b"\n") == 1
    assert json.loads(data)["content"] == {"a": "x\u2028y\u2029z\x85"}


def test_stored_content_is_spliced_in_byte_for_byte():
    stored = '{"b": 1.10, "aa": 12345678901234567890123, "é":  [ ]}'
    data, report = written([plain(content=Jsonb(text=stored))])
    assert stored.encode() in data
    assert not report


def test_expired_content_is_null_and_empty_content_is_an_empty_object():
    data, report = written([plain(content=None), plain(content=Jsonb({}))])
    assert [json.loads(line)["content"] for line in data.splitlines()] == [None, {}]
    assert not report


@pytest.mark.parametrize("version", ["2", '"1"', "true", "null", "-1", "1.5", "1e400", "[1]"])
def test_content_of_unknown_version_is_an_error_that_names_the_transcript(version):
    stored = Jsonb(text=f'{{"messages": [], "schema_version": {version}}}')
    with pytest.raises(ContentError, match="transcript ct7 has content of schema_version"):
        written([plain(), plain(id="ct7", content=stored)])


@pytest.mark.parametrize("content", ['{"a": "\\"schema_version\\": 9"}', '{"a": {"schema_version": 9}}'])
def test_a_version_is_only_what_stands_at_the_top_of_the_content(content):
    assert json.loads(written([plain(content=Jsonb(text=content))])[0])["content"] == json.loads(content)


def test_content_that_is_no_object_is_an_error_that_names_the_transcript():
    with pytest.raises(ContentError, match="transcript ct1 has content that is no object"):
        written([plain(content=Jsonb([1]))])


def test_a_megabyte_of_text_is_one_line():
    data, _ = written([plain(content=Jsonb({"turns": [{"targetResponse": "é\n" * 500_000}]}))])
    assert len(json.loads(data)["content"]["turns"][0]["targetResponse"]) == 1_000_000


def test_a_scenario_that_the_run_does_not_list_is_null_and_reported():
    data, report = written([plain(scenario_id="gone"), plain(scenario_id=None)])
    assert [json.loads(line)["scenario"] for line in data.splitlines()] == [None, None]
    assert [(note.kind, note.count, note.examples) for note in report] == [("scenario_unknown", 2, ("ct1",))]


def test_lines_follow_the_order_of_rows_over_many_batches():
    data, _ = written(plain(id=f"ct{number}") for number in range(1000))
    assert [json.loads(line)["transcript_id"] for line in data.splitlines()] == [f"ct{n}" for n in range(1000)]


def test_no_rows_are_no_bytes():
    assert written([])[0] == b""


def test_a_run_without_definition_says_null():
    data, _ = written([plain()], run_context() | {"definition": None})
    assert json.loads(data)["definition_id"] is None


def test_other_columns_than_the_formats_own_are_refused():
    with pytest.raises(IntegrityError, match="the frozen rows have the columns id, responses"):
        written(
            [], run_context() | {"columns": [{"name": "id", "type": "text"}, {"name": "responses", "type": "jsonb"}]}
        )


def test_a_field_of_the_wrong_size_is_an_integrity_error():
    with pytest.raises(IntegrityError, match="a frozen row is damaged"):
        written([plain(duration_ms=b"\x00")])


def test_the_bytes_stay_as_they_were():
    report = FidelityReport()
    body = TranscriptsJsonl().body(iter(rows(COLUMNS)), run_context(), report)
    assert_golden("run_transcripts.jsonl", b"".join(body))
    assert not report
