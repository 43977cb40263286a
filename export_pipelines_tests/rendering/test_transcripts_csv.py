import csv
import io
import json
import math
import re

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering.transcripts_csv import TranscriptsCsv
from export_pipelines_tests.golden_files import assert_golden
from export_pipelines_tests.rendering import sample_transcripts
from export_pipelines_tests.rendering.contexts import SCENARIOS, run_context
from export_pipelines_tests.rendering.copy_rows import Jsonb, row
from export_pipelines_tests.rendering.hostile import TEXTS, facts, optional

COLUMNS = [
    "id", "scenario_id", "target_model", "model_version", "responses", "turn_count", "token_count", "duration_ms",
    "estimated_cost", "decision_code", "decision_text", "created_at",
]  # fmt: skip
SUMMARY = ["AI Model Name", "Freedom", "Harmony", "Decision Code", "Decision Text", "Transcript ID", "Target Response"]
FLAT = [
    "transcript_id", "run_id", "scenario_id", "scenario_name", "target_model", "model_version", "freedom", "harmony",
    "decision_code", "decision_text", "turn_count", "token_count", "duration_ms", "estimated_cost", "created_at",
    "target_response",
]  # fmt: skip
MODELS = {"openai:gpt-4.1": "gpt-4.1", "anthropic:claude-sonnet-4-20250514": "claude-sonnet-4", "=m": "=m"}
SCORES = {"s1": ["1", "2"], "s.2": ["2.5", "-5"], "sé3": ["", ""]}
FORMULA = tuple("=+-@\t\r＝＋－＠﹦﹢﹣﹫")
RESPONSES = st.lists(optional(TEXTS), max_size=3)
TRANSCRIPTS = st.lists(facts(RESPONSES), max_size=4)


def written(transcripts, profile, **context):
    report, format_ = FidelityReport(), TranscriptsCsv()
    whole = run_context(options={"profile": profile}) | context
    rows = (
        row(*(transcript["content" if name == "responses" else name] for name in COLUMNS)) for transcript in transcripts
    )
    data = format_.head(whole) + b"".join(format_.body(rows, whole, report)) + format_.tail(whole)
    return data, {(note.kind, note.where): note for note in report}


def read(data):
    """As the csv module reads, strictly."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def responses_of(transcript):
    """What the test wrote, joined."""
    stored = transcript["content"]
    return None if stored is None else "\n\n---\n\n".join(text or "" for text in json.loads(stored.text))


def plain(**changes):
    return sample_transcripts.samples()[3] | changes


def summary_texts(transcript):
    """By column, what stands in the cells before anything is neutralised."""
    return {
        "AI Model Name": MODELS[transcript["target_model"]],
        "Decision Code": transcript["decision_code"] or "pending",
        "Decision Text": transcript["decision_text"] or "",
        "Transcript ID": transcript["id"],
        "Target Response": responses_of(transcript) or "",
    }


@given(TRANSCRIPTS)
def test_summary_is_what_the_spreadsheets_read_and_reports_exactly_what_differs(transcripts):
    data, notes = written(transcripts, "summary")
    assert data.startswith(b"\xef\xbb\xbfAI Model Name,")
    names, *lines = read(data)
    assert names == SUMMARY
    differing = {}
    for transcript, line in zip(transcripts, lines, strict=True):
        cells = dict(zip(names, line, strict=True))
        assert [cells["Freedom"], cells["Harmony"]] == SCORES[transcript["scenario_id"]]
        for column, text in summary_texts(transcript).items():
            if cells[column] != text:
                assert cells[column] == "'" + text
                assert text.startswith(FORMULA)
                differing.setdefault(column, []).append(transcript["id"])
            assert not cells[column].startswith(FORMULA)
    formulas = {
        where.removeprefix("column "): note for (kind, where), note in notes.items() if kind == "formula_neutralised"
    }
    assert {column: note.count for column, note in formulas.items()} == {c: len(ids) for c, ids in differing.items()}
    assert all(set(note.examples) == set(differing[column]) for column, note in formulas.items())
    expired = sum(transcript["content"] is None for transcript in transcripts)
    assert {key: note.count for key, note in notes.items() if key[0] != "formula_neutralised"} == (
        {("content_expired", "column Target Response"): expired} if expired else {}
    )


@given(TRANSCRIPTS)
def test_flat_is_exact(transcripts):
    data, notes = written(transcripts, "flat")
    names, *lines = read(data)
    assert names == FLAT
    for transcript, line in zip(transcripts, lines, strict=True):
        cost = transcript["estimated_cost"]
        cells = dict(zip(names, line, strict=True))
        written_cost = cells.pop("estimated_cost")
        assert written_cost == "" if cost is None else float(written_cost) == cost or math.isnan(cost)
        expected = transcript | {
            "transcript_id": transcript["id"],
            "run_id": "crun1",
            "scenario_name": SCENARIOS[transcript["scenario_id"]]["name"],
            "created_at": transcript["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "target_response": responses_of(transcript),
        }
        expected |= dict(zip(["freedom", "harmony"], SCORES[transcript["scenario_id"]], strict=True))
        assert cells == {name: "" if expected[name] is None else str(expected[name]) for name in cells}
    assert {kind for kind, _ in notes} <= {"content_expired"}


@settings(max_examples=25)
@given(st.lists(facts(RESPONSES), min_size=1, max_size=4))
def test_pandas_reads_flat(transcripts):
    data, _ = written(transcripts, "flat")
    table = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8")
    assert list(table.columns) == FLAT
    # pandas reads a quoted lone CR as it stands, but takes the line ends inside quotes apart in no other way.
    assert list(table["target_response"]) == [responses_of(t) or "" for t in transcripts]
    assert list(table["decision_text"]) == [t["decision_text"] or "" for t in transcripts]


@settings(max_examples=15)
@given(transcripts=st.lists(facts(RESPONSES), min_size=1, max_size=4))
def test_duckdb_reads_flat_and_tells_null_from_empty(tmp_path_factory, transcripts):
    path = tmp_path_factory.mktemp("csv") / "flat.csv"
    path.write_bytes(written(transcripts, "flat")[0])
    with duckdb.connect() as connection:
        sql = (
            "SELECT decision_text, target_response FROM read_csv(?, header=true, all_varchar=true, auto_detect=false,"
            " delim=',', quote='\"', escape='\"', allow_quoted_nulls=false, new_line='\\r\\n', columns=?)"
        )
        read_back = connection.execute(sql, [str(path), dict.fromkeys(FLAT, "VARCHAR")]).fetchall()
    assert read_back == [(t["decision_text"], responses_of(t)) for t in transcripts]


def test_types_are_found_by_pandas_without_help():
    data, _ = written([plain(), plain(estimated_cost=None)], "flat")
    table = pd.read_csv(io.BytesIO(data), parse_dates=["created_at"])
    assert str(table["created_at"].dt.tz) == "UTC"
    assert table["estimated_cost"].dtype == float
    assert table["turn_count"].dtype == table["freedom"].dtype == int


def test_lines_end_in_crlf_in_both_profiles():
    for profile in ("summary", "flat"):
        data, _ = written([plain(content=Jsonb(["a"]))] * 3, profile)
        assert data.count(b"\r\n") == data.count(b"\n") == 4
        assert data.endswith(b"\r\n")


def test_numbers_below_zero_are_no_formulas():
    data, notes = written([plain(scenario_id="s.2", content=Jsonb(["a"]))], "summary")
    assert read(data)[1][:3] == ["gpt-4.1", "2.5", "-5"]
    assert not notes


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("openai:gpt-4.1", "gpt-4.1"),
        ("openai:gpt-4.1-2025-04-14", "gpt-4.1-2025-04-14"),
        ("anthropic:claude-3-5-haiku-20241022", "claude-3-5-haiku"),
        ("local", "local"),
        ("openrouter:meta:llama-3", "meta:llama-3"),
        ("openai:", "openai:"),
        ("-20241022", "-20241022"),
        ("a:-20241022", "-20241022"),
        ("a:b-202410221", "b-202410221"),
    ],
)
def test_model_names_are_short(model, name):
    data, _ = written([plain(target_model=model)], "summary")
    assert read(data)[1][0].lstrip("'") == name


def test_a_text_longer_than_excels_cells_is_whole_and_reported_in_summary_only():
    long = "word " * 10_000
    for profile, kinds in (("summary", [("cell_over_excel_limit", "column Target Response")]), ("flat", [])):
        data, notes = written([plain(content=Jsonb([long]))], profile)
        assert read(data)[1][-1] == long
        assert list(notes) == kinds


def test_dimensions_named_like_columns_are_numbered():
    names = ["=Score", "Decision Code", "Decision-Code", "decision_code", "Größe, cm"]
    summary, _ = written([], "summary", dimension_names=names)
    assert read(summary)[0][1:6] == ["'=Score", "Decision Code (2)", "Decision-Code", "decision_code", "Größe, cm"]
    flat, _ = written([], "flat", dimension_names=names)
    assert read(flat)[0][6:11] == ["score", "decision_code_2", "decision_code_3", "decision_code_4", "größe_cm"]


def test_a_dimensions_name_that_is_a_formula_is_noted_once_for_the_file():
    context = run_context(options={"profile": "summary"}) | {"dimension_names": ["=Score", "b"]}
    [note] = TranscriptsCsv().head_notes(context)
    assert (note.kind, note.where, note.count) == ("formula_neutralised", "header =Score", 1)
    assert TranscriptsCsv().head_notes(context | {"options": {"profile": "flat"}}) == ()


def test_a_scenario_that_the_run_does_not_list_leaves_cells_empty_and_is_reported():
    for profile, where in (("summary", "dimensions"), ("flat", "scenario")):
        data, notes = written([plain(scenario_id="gone", content=Jsonb(["a"])), plain(content=Jsonb(["b"]))], profile)
        assert len({len(line) for line in read(data)}) == 1
        assert notes["scenario_unknown", where].count == 1


def test_summary_is_the_default_and_no_rows_leave_a_header():
    data, notes = written([], None)
    assert read(data) == [SUMMARY]
    assert not notes


def test_other_columns_than_the_formats_own_are_refused():
    with pytest.raises(IntegrityError, match=re.escape("but this format reads id, scenario_id")):
        written([], "flat", columns=[{"name": "content", "type": "jsonb"}])


@pytest.mark.parametrize("profile", ["summary", "flat"])
def test_the_bytes_stay_as_they_were(profile):
    context, report = run_context(options={"profile": profile}), FidelityReport()
    body = b"".join(TranscriptsCsv().body(iter(sample_transcripts.rows(COLUMNS)), context, report))
    assert_golden(f"run_{profile}.csv", TranscriptsCsv().head(context) + body)
    notes = "".join(f"{note.kind} {note.where} {note.count} {' '.join(note.examples)}\n" for note in report)
    assert_golden(f"run_{profile}.csv.fidelity.txt", notes.encode())
