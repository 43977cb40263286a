"""Tables in Parquet: read by DuckDB, pandas and pyarrow alike, the same bytes everywhere."""

import io
import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import dataset, parquet

from export_pipelines.core.archive import Member
from export_pipelines.core.errors import ContentError, IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.transcripts import read_turns
from export_pipelines.rendering import parquet_files, parquet_tables
from export_pipelines.rendering.parquet import TranscriptsParquet
from export_pipelines_tests.golden_files import assert_golden
from export_pipelines_tests.rendering import sample_transcripts
from export_pipelines_tests.rendering.contexts import SCENARIOS, run_context
from export_pipelines_tests.rendering.copy_rows import Jsonb, row
from export_pipelines_tests.rendering.hostile import contents, facts, optional

COLUMNS = [
    "id", "scenario_id", "target_model", "model_version", "content", "turn_count", "token_count", "duration_ms",
    "estimated_cost", "decision_code", "decision_text", "created_at", "content_expires_at",
]  # fmt: skip
NAMES = [
    "transcript_id", "run_id", "definition_id", "scenario_id", "scenario_name", "target_model", "model_version",
    "freedom", "harmony", "decision_code", "decision_text", "turn_count", "token_count", "duration_ms",
    "estimated_cost", "created_at", "content_expires_at", "target_response", "content",
]  # fmt: skip
TIME = pa.timestamp("us", tz="UTC")
ODD = {name: pa.int32() for name in ("turn_count", "token_count", "duration_ms")} | {
    "freedom": pa.float64(), "harmony": pa.int64(), "estimated_cost": pa.float64(),
    "created_at": TIME, "content_expires_at": TIME,
}  # fmt: skip
SCORES = {"s1": (1.0, 2), "s.2": (2.5, -5), "sé3": (None, None)}
FOLDER = "run_crun1_parquet"
TABLES = f"{FOLDER}/transcripts"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRANSCRIPTS = st.lists(facts(contents()), max_size=5)


def members(transcripts, *, shard=0, context=None):
    report = FidelityReport()
    rows = iter([row(*(transcript[name] for name in COLUMNS)) for transcript in transcripts])
    found = list(TranscriptsParquet().entries(rows, context or run_context(), report, shard=shard))
    return found, {(note.kind, note.where): note for note in report}


def written(transcripts, **how):
    """The one file of a shard, and the notes."""
    found, notes = members(transcripts, **how)
    [file] = [member for member in found if member.rows is not None]
    return file.data, notes


def table_of(transcripts, **how):
    return parquet.read_table(io.BytesIO(written(transcripts, **how)[0]))


def plain(**changes):
    return sample_transcripts.samples()[3] | changes


def expected(transcript):
    content = transcript["content"] and json.loads(transcript["content"].text)
    turns = content and read_turns(content, where="test")
    response = None if content is None else "\n\n---\n\n".join(turn.target for turn in turns or ())
    freedom, harmony = SCORES[transcript["scenario_id"]]
    return {
        **{name: value for name, value in transcript.items() if name in NAMES},
        "transcript_id": transcript["id"],
        "run_id": "crun1",
        "definition_id": "cdef1",
        "scenario_name": SCENARIOS[transcript["scenario_id"]]["name"],
        "freedom": freedom,
        "harmony": harmony,
        "target_response": response,
        "content": transcript["content"] and transcript["content"].text,
    }


def same(found, wanted):
    """Equal values, where NaN equals NaN."""
    return found == wanted or (isinstance(found, float) and math.isnan(found) and math.isnan(wanted))


def assert_same_rows(found, transcripts):
    for line, transcript in zip(found, transcripts, strict=True):
        wanted = expected(transcript)
        assert set(line) == set(wanted) == set(NAMES)
        assert [name for name in NAMES if not same(line[name], wanted[name])] == []


@given(TRANSCRIPTS)
def test_pyarrow_reads_back_every_value_of_every_shape_of_content(transcripts):
    data, notes = written(transcripts)
    assert_same_rows(parquet.read_table(io.BytesIO(data)).to_pylist(), transcripts)
    assert not notes


@settings(max_examples=25)
@given(transcripts=TRANSCRIPTS)
def test_duckdb_reads_back_every_value(tmp_path_factory, transcripts):
    path = tmp_path_factory.mktemp("parquet") / "part.parquet"
    path.write_bytes(written(transcripts)[0])
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        times = ", ".join(f"epoch_us({name}) AS {name}" for name in ("created_at", "content_expires_at"))
        result = connection.execute(f"SELECT * REPLACE ({times}) FROM read_parquet(?)", [str(path)])
        found = [dict(zip(NAMES, values, strict=True)) for values in result.fetchall()]
    for line in found:
        for name in ("created_at", "content_expires_at"):
            line[name] = None if line[name] is None else EPOCH + timedelta(microseconds=line[name])
    assert_same_rows(found, transcripts)


@settings(max_examples=25)
@given(TRANSCRIPTS)
def test_pandas_reads_back_every_value(transcripts):
    table = pd.read_parquet(io.BytesIO(written(transcripts)[0]), dtype_backend="pyarrow")
    found = [
        {name: None if value is pd.NA or value is pd.NaT else value for name, value in line.items()}
        for line in table.astype(object).to_dict("records")
    ]
    # A missing number and one that is none are the same to pandas.
    for line, transcript in zip(found, transcripts, strict=True):
        if transcript["estimated_cost"] is not None and math.isnan(transcript["estimated_cost"]):
            line["estimated_cost"] = math.nan
    assert_same_rows(found, transcripts)


def test_names_and_types_are_those_of_the_schema_document():
    [document, file], _ = members([plain()])
    assert document.name == f"{FOLDER}/schema.json"
    stated = json.loads(document.data)["columns"]
    schema = parquet.read_schema(io.BytesIO(file.data))
    assert schema.names == [column["name"] for column in stated] == NAMES
    assert schema.types == [ODD.get(name, pa.string()) for name in NAMES]
    shown = {"string": "string", "int32": "int32", "int64": "int64", "double": "double"}
    assert [shown.get(str(type_), "timestamp[us, UTC]") for type_ in schema.types] == [c["type"] for c in stated]
    assert [field.nullable for field in schema] == [column["nullable"] for column in stated]
    assert all(column["meaning"].endswith(".") for column in stated)
    assert [column["dimension"] for column in stated if "dimension" in column] == ["Freedom", "Harmony"]


def test_no_rows_leave_one_table_with_the_schema(tmp_path):
    data, notes = written([])
    (tmp_path / "part.parquet").write_bytes(data)
    assert table_of([]).schema.names == NAMES
    assert duckdb.execute(f"SELECT count(*) FROM '{tmp_path}/*.parquet'").fetchall() == [(0,)]
    assert list(pd.read_parquet(tmp_path).columns) == NAMES
    assert not notes


def test_a_folder_of_many_parts_is_one_dataset_in_the_order_of_the_export(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_tables, "GROUP_BYTES", 3 * parquet_tables.ROW_BYTES)
    monkeypatch.setattr(parquet_files, "GROUPS_A_FILE", 2)
    monkeypatch.setattr(parquet_tables.row_groups, "__kwdefaults__", {"group_bytes": 3 * parquet_tables.ROW_BYTES})
    count = 0
    for shard in range(2):
        ids = [f"ct{number:03d}" for number in range(20 * shard, 20 * shard + 20)]
        for member in members([plain(id=id_, content=None) for id_ in ids], shard=shard)[0]:
            (tmp_path / member.name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / member.name).write_bytes(member.data)
            count += member.records
    folder = tmp_path / TABLES
    assert sorted(path.name for path in folder.iterdir())[3:5] == ["part-00000-003.parquet", "part-00001-000.parquet"]
    wanted = [f"ct{number:03d}" for number in range(40)]
    assert count == 40
    assert dataset.dataset(folder).to_table()["transcript_id"].to_pylist() == wanted
    assert list(pd.read_parquet(folder)["transcript_id"]) == wanted
    assert duckdb.execute(f"SELECT transcript_id FROM '{folder}/*.parquet'").fetchall() == [(id_,) for id_ in wanted]


def test_row_groups_are_bounded_by_bytes_and_have_statistics():
    long = json.dumps({"turns": [{"targetResponse": "word " * 200_000}]})
    data, _ = written([plain(id=f"ct{number:02d}", content=Jsonb(text=long)) for number in range(30)])
    metadata = parquet.read_metadata(io.BytesIO(data))
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [5] * 6
    assert max(group.total_byte_size for group in groups) < 2 * (parquet_tables.GROUP_BYTES + len(long))
    ids = [groups[1].column(0).statistics.min, groups[1].column(0).statistics.max]
    assert ids == ["ct05", "ct09"]


@pytest.mark.parametrize("text", ["", "é\r\n\u2028\x85" * 200_000, "\x01\t\x7f", "שלום مرحبا 👩‍👩‍👧 𝔘", 'a "b" \\n'])
def test_texts_of_any_kind_and_length_stay_as_they_are(text):
    content = {"turns": [{"targetResponse": text}, {"targetResponse": None}, {"probePrompt": "x"}]}
    [line] = table_of([plain(decision_text=text, content=Jsonb(content))]).to_pylist()
    assert line["decision_text"] == text
    assert line["target_response"] == text + "\n\n---\n\n" * 2
    assert json.loads(line["content"]) == content


@pytest.mark.parametrize(
    ("moment", "micros"),
    [
        (-(1 << 63) + 1, None),
        (-211_813_488_000_000_000, -210_866_803_200_000_000),
        (0, 946_684_800_000_000),
        ((1 << 63) - 2 - 946_684_800_000_000, (1 << 63) - 2),
    ],
)
def test_extreme_times_are_exact(moment, micros):
    field = moment.to_bytes(8, "big", signed=True)
    data, notes = written([plain(created_at=field)])
    if micros is None:
        micros = moment + 946_684_800_000_000
    assert parquet.read_table(io.BytesIO(data))["created_at"].cast(pa.int64()).to_pylist() == [micros]
    assert not notes


@pytest.mark.parametrize("moment", [-(1 << 63), (1 << 63) - 1, 9_223_371_331_199_999_999])
def test_times_without_a_place_are_null_and_noted(moment):
    field = moment.to_bytes(8, "big", signed=True)
    rows = [plain(), plain(id="ctx", content_expires_at=field), plain(content_expires_at=None)]
    data, notes = written(rows)
    values = parquet.read_table(io.BytesIO(data))["content_expires_at"].to_pylist()
    assert values == [plain()["content_expires_at"], None, None]
    note = notes["timestamp_out_of_range", "column content_expires_at"]
    assert (note.count, note.examples) == (1, ("ctx",))


def test_a_scenario_that_the_run_does_not_list_leaves_nulls_and_is_reported():
    data, notes = written([plain(scenario_id="gone"), plain(scenario_id=None), plain()])
    table = parquet.read_table(io.BytesIO(data))
    assert table["scenario_id"].to_pylist() == ["gone", None, "s1"]
    assert table["scenario_name"].to_pylist() == [None, None, "Plain"]
    assert table["harmony"].to_pylist() == [None, None, 2]
    assert notes["scenario_unknown", "scenario"].count == 2


def scored(*scores):
    scenarios = {f"s{n}": {"id": f"s{n}", "name": "N", "dimensions": {"X": s}} for n, s in enumerate(scores)}
    context = run_context(scenarios=scenarios) | {"dimension_names": ["X"]}
    data, notes = written([plain(scenario_id=id_) for id_ in scenarios], context=context)
    column = parquet.read_table(io.BytesIO(data))["x"]
    return str(column.type), column.to_pylist(), {key: note.examples for key, note in notes.items()}


def test_whole_scores_are_whole_numbers_to_the_last_bit():
    extremes = [2**63 - 1, -(2**63), 0]
    assert scored(*extremes) == ("int64", extremes, {})


def test_mixed_scores_are_doubles_and_what_no_double_holds_is_noted():
    type_, values, notes = scored(2**53 + 1, 0.1, 10**400, 2**60)
    assert (type_, values) == ("double", [float(2**53), 0.1, None, float(2**60)])
    assert notes == {("number_rounded", "column x"): ("s0", "s2")}


def test_a_note_on_scores_is_made_once_for_all_shards():
    scenarios = {"s1": {"id": "s1", "name": "N", "dimensions": {"X": 2**70 + 1}}}
    context = run_context(scenarios=scenarios) | {"dimension_names": ["X"]}
    assert written([plain()], context=context, shard=0)[1]
    assert not written([plain()], context=context, shard=1)[1]


def test_a_run_without_definition_has_null_for_it():
    table = table_of([plain()], context=run_context() | {"definition": None})
    assert table["definition_id"].to_pylist() == [None]


def test_dimensions_named_like_columns_are_numbered():
    context = run_context() | {"dimension_names": ["Content", "Größe, cm", "run_id"]}
    assert table_of([plain()], context=context).schema.names[7:10] == ["content_2", "größe_cm", "run_id_2"]


@given(optional(st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3)))
def test_a_lone_surrogate_is_replaced_and_reported(text):
    stored = json.dumps({"turns": [{"targetResponse": f"a{text}"}]})
    paired = (text or "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    data, notes = written([plain(content=Jsonb(text=stored))])
    [line] = parquet.read_table(io.BytesIO(data)).to_pylist()
    wanted = f"a{text}" if text is None else "a" + paired
    assert json.loads(line["content"])["turns"][0]["targetResponse"] == line["target_response"] == wanted
    assert bool(notes) == ("\ufffd" in wanted)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"schema_version": 9, "turns": []}, "schema_version 9"),
        ({"schema_version": True, "turns": []}, "schema_version True"),
        ([1], "is no object"),
        ({"turns": [{"targetResponse": 3}]}, "int where text belongs"),
        ({"turns": None}, "NoneType where a list"),
    ],
)
def test_content_that_cannot_be_read_is_an_error_that_names_the_transcript(stored, reason):
    with pytest.raises(ContentError, match=f"transcript ct7 .*{reason}"):
        written([plain(), plain(id="ct7", content=Jsonb(stored))])


@pytest.mark.parametrize(
    "changes", [{"duration_ms": b"\0"}, {"decision_text": b"\xff"}, {"id": None}, {"content": b"\x02{}"}]
)
def test_a_damaged_row_is_an_integrity_error(changes):
    with pytest.raises(IntegrityError):
        written([plain(**changes)])


def test_other_columns_than_the_formats_own_are_refused():
    with pytest.raises(IntegrityError, match="but this format reads id, scenario_id"):
        written([], context=run_context() | {"columns": [{"name": "content", "type": "jsonb"}]})


def test_tables_are_stored_and_count_their_rows_and_no_machine_shows_in_them():
    found, _ = members([plain(), plain(content=None)])
    assert [(member.stored, member.records) for member in found] == [(False, 0), (True, 2)]
    metadata = parquet.read_metadata(io.BytesIO(found[1].data))
    assert metadata.metadata is None
    assert metadata.created_by == f"parquet-cpp-arrow version {pa.__version__}"
    assert metadata.row_group(0).column(18).compression == "ZSTD"


PROGRAM = """
import hashlib, sys
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering.parquet import TranscriptsParquet
from export_pipelines_tests.rendering import sample_transcripts
from export_pipelines_tests.rendering.contexts import run_context
from export_pipelines_tests.rendering.test_parquet import COLUMNS
rows = iter(sample_transcripts.rows(COLUMNS) * 2000)
for entry in TranscriptsParquet().entries(rows, run_context(), FidelityReport(), shard=0):
    print(entry.name, hashlib.sha256(entry.data).hexdigest())
"""


def test_other_processes_times_zones_and_hashes_give_the_same_bytes():
    def run(zone, seed, locale):
        environ = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": locale}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=True)
        return done.stdout

    assert run("UTC", "0", "C") == run("Asia/Kathmandu", "4711", "C.UTF-8")


def test_rendering_imports_no_pandas_and_loading_the_format_no_pyarrow():
    program = PROGRAM.replace(
        "from export_pipelines_tests.rendering.test_parquet import COLUMNS", f"COLUMNS = {COLUMNS}"
    )
    program = program.replace("rows = iter", "assert not {'pyarrow', 'numpy'} & set(sys.modules)\nrows = iter")
    program += "assert 'pyarrow' in sys.modules\nassert 'pandas' not in sys.modules\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_bytes_stay_as_they_were():
    """The library's version stands in the table: a new one in the lock file is a new golden file."""
    rows = iter(sample_transcripts.rows(COLUMNS))
    found = list(TranscriptsParquet().entries(rows, run_context(), FidelityReport(), shard=0))
    for member in found:
        assert isinstance(member, Member)
        assert_golden(f"run_parquet/{member.name.removeprefix(FOLDER + '/')}", member.data)


def test_the_archives_own_manifest_begins_with_facts_of_the_run():
    format_ = TranscriptsParquet()
    assert format_.manifest_name(run_context()) == f"{FOLDER}/manifest.yaml"
    head = format_.manifest_head(run_context())
    assert (head["run"]["id"], head["definition"]["name"]) == ("crun1", "A definition")
