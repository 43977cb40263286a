import json
import re
from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from export_pipelines.core.archive import Absent
from export_pipelines.core.errors import ContentError, IntegrityError
from export_pipelines.core.transcripts import read_turns
from export_pipelines_tests.rendering import tool_readers
from export_pipelines_tests.rendering.bundles import bundle, bundle_context, scenario, with_samples
from export_pipelines_tests.rendering.copy_rows import Big, Jsonb
from export_pipelines_tests.rendering.hostile import contents, facts, optional
from export_pipelines_tests.rendering.sample_transcripts import CLAUDE, GPT, TURNS, samples
from export_pipelines_tests.rendering.test_tool_markers import MARKED, TAKEN_FOR_MARKER

LINES = "run_crun1/transcripts.jsonl"
SCENARIO_IDS, MODELS = ["s1", "s.2", "sé3"], [GPT, CLAUDE, "=m"]
RUNS = st.lists(facts(contents(MARKED)), max_size=5).map(lambda found: list(with_samples(found)))


def context_of(subject=None):
    extra = {} if subject is None else {"subject": subject}
    return bundle_context(
        scenarios=[scenario(id_, f"Name {id_}", **extra) for id_ in SCENARIO_IDS],
        models=[{"id": id_, "model_version": None} for id_ in MODELS],
    )


def plain(**changes):
    return samples()[3] | {"content": Jsonb(TURNS)} | changes


def as_read(text):
    """A text as the tools get to see it when nothing is lost: stripped, and every line end a line feed."""
    return re.sub("\r\n?", "\n", text.strip())


def turns_of(transcript):
    return read_turns(json.loads(transcript["content"].text), where="")


def marked(*texts):
    return any(TAKEN_FOR_MARKER.search(text.strip()) for text in texts)


def expected_notes(transcripts):
    """Ids by kind, as the tools' rules and not as the renderer has it."""
    notes = {}
    for transcript in transcripts:
        if transcript["content"] is None:
            continue
        turns = turns_of(transcript)
        texts = [text for turn in turns for text in (turn.probe, turn.target)]
        folded = [re.sub("\\s*[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\\s*", " ", turn.label.strip()) for turn in turns]
        found = {
            "marker_escaped": marked(*texts, *folded),
            "carriage_return": any("\r" in text.strip() for text in texts),
            "line_ends_in_heading": any(len(f"{turn.label.strip()}x".splitlines()) > 1 for turn in turns),
        }
        for kind in (kind for kind, applies in found.items() if applies):
            notes.setdefault(kind, []).append(transcript["id"])
    return notes


@settings(max_examples=60)
@given(RUNS, st.integers(0, 5), optional(MARKED))
def test_the_tools_read_what_was_stored_and_the_report_names_exactly_what_differs(tmp_path_factory, run, cut, subject):
    made = bundle([run[:cut], run[cut:]], context_of(subject))
    directory = made.unpack(tmp_path_factory.mktemp("bundle"))
    notes = {note.kind: list(note.examples) for note in made.report if note.where == "dialogue"}
    assert notes == expected_notes(run)
    escaped = set(notes.get("marker_escaped", ()))
    kept = [transcript for transcript in run if transcript["content"] is not None]
    _check_files(directory, kept, escaped)
    _check_judged(directory, kept, escaped)


def _same(read, stored, *, noted):
    """Equal, or unequal in backslashes only where the report says so."""
    return read.replace("\\", "") == stored.replace("\\", "") if noted else read == stored


def _check_files(directory, kept, escaped):
    listed = tool_readers.transcripts(directory)
    assert len(listed) == len(kept)
    by_time = {}
    for scenario_part, model_part, path in listed:
        front, _ = tool_readers.frontmatter(path.read_text(encoding="utf-8"))
        assert "." not in scenario_part + model_part
        by_time.setdefault((front["scenario_id"], front["target_model"], front["timestamp"]), []).append((front, path))
    for transcript in kept:
        created = transcript["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        candidates = by_time[transcript["scenario_id"], transcript["target_model"], created]
        turns = turns_of(transcript)
        assert any(_is_file_of(front, path, transcript, turns, escaped) for front, path in candidates)


def _is_file_of(front, path, transcript, turns, escaped):
    answered = as_read(turns[0].target) if turns else None
    line = tool_readers.decision_line(path)
    first = answered.splitlines()[0].strip() if answered else answered
    decided = line == first if line is None or first is None else _same(line, first, noted=transcript["id"] in escaped)
    return decided and front["context_pairs"] == len(turns) and front["run_id"] == "crun1"


def _check_judged(directory, kept, escaped):
    numbers = yaml.safe_load((directory / "run_manifest.yaml").read_text(encoding="utf-8"))
    step = numbers["samples"]["numbers_a_sample"]
    for anonymous, model in numbers["models"].items():
        front, judged = tool_readers.judge(directory / f"aggregated_transcript.{anonymous}.md")
        assert front == {"run_id": "crun1", "anon_model_id": anonymous}
        own = [transcript for transcript in kept if transcript["target_model"] == model["true_model"]]
        assert len({one.id for one in judged}) == len(judged) == len(own)
        for transcript, one in zip(own, judged, strict=True):
            sample, number = divmod(int(one.id.removeprefix("scenario_")) - 1, step)
            assert sample + 1 == transcript["sample"]
            assert numbers["scenario_numbers"][f"scenario_{number + 1:03d}"]["id"] == transcript["scenario_id"]
            turns = turns_of(transcript)
            assert [number for number, _ in one.turns] == [turn.number for turn in turns]
            for (_, read), turn in zip(one.turns, turns, strict=True):
                assert _same(read, as_read(turn.target), noted=transcript["id"] in escaped)


@given(RUNS)
def test_lines_of_json_are_those_of_the_other_export(run):
    made = bundle([run], context_of())
    lines = [json.loads(line) for line in made.files[LINES].decode().split("\n")[:-1]]
    assert [line["transcript_id"] for line in lines] == [transcript["id"] for transcript in run]
    stored = [transcript["content"] and json.loads(transcript["content"].text) for transcript in run]
    assert [line["content"] for line in lines] == stored
    assert all(line["scenario"]["prompt"] == "Choose." for line in lines)


@given(RUNS, st.integers(0, 5))
def test_where_shards_are_cut_changes_nothing(run, cut):
    once, twice = bundle([run], context_of()), bundle([run[:cut], run[cut:]], context_of())
    assert (once.files, once.records, once.absent) == (twice.files, twice.records, twice.absent)
    assert once.report.notes() == twice.report.notes()


def test_the_layout_of_a_transcript_is_the_tools_own():
    made = bundle([[plain(model_version="x")]], bundle_context())
    assert made.files["run_crun1/transcripts/transcript.s1.openai-gpt-4-1.crun1.md"].decode() == (
        "---\n"
        "file_version: v0.1\n"
        "run_id: crun1\n"
        "scenario_id: s1\n"
        "target_model: openai:gpt-4.1\n"
        "probe_model: openai:gpt-4.1\n"
        "timestamp: '2026-04-15T08:04:04.000250Z'\n"
        "context_pairs: 2\n"
        "---\n"
        "\n"
        "# Scenario s1: Night bakery - Freedom 1, Harmony 2\n"
        "\n"
        "## Dialogue\n"
        "#### Turn 1 (scenario_prompt)\n"
        "**Probe:** You are Ada, a baker.\n\nChoose from 1 to 5.\n"
        "\n"
        "**Target:** 2 - I would keep the oven on.\n\nHere is why:\n- bread\n- warmth, \"as ever\"\n"
        "\n"
        "#### Turn 2 (follow_up_1)\n"
        "**Probe:** And tomorrow?\n"
        "\n"
        "**Target:** Tomorrow too\u2028— 明日も 🥖\n"
    )  # fmt: skip
    assert not made.notes()


def test_the_layout_of_an_aggregated_file_is_the_judges():
    other = plain(id="ct09", scenario_id="s.2", content=Jsonb({"turns": [{"targetResponse": "4"}]}))
    made = bundle([[plain(content=Jsonb({"turns": [{"targetResponse": "3"}]})), other]], bundle_context())
    assert made.files["run_crun1/transcripts/aggregated_transcript.anon_model_001.md"].decode() == (
        "---\n"
        "run_id: crun1\n"
        "anon_model_id: anon_model_001\n"
        "---\n"
        "\n"
        "## Scenario: scenario_001 — Night bakery - Freedom 1, Harmony 2\n"
        "\n"
        "### Dialogue\n"
        "#### Turn 1 (scenario_prompt)\n"
        "**Probe:**\n"
        "\n"
        "**Target:** 3\n"
        "\n"
        "## Scenario: scenario_002 — The oven — at night\n"
        "\n"
        "### Dialogue\n"
        "#### Turn 1 (scenario_prompt)\n"
        "**Probe:**\n"
        "\n"
        "**Target:** 4\n"
        "\n"
    )


def test_expired_content_has_a_line_and_no_file_and_empty_content_has_both():
    made = bundle([[plain(content=None), plain(id="ct05", scenario_id="s.2", content=Jsonb({}))]], bundle_context())
    assert made.absent == [Absent(id="ct04", reason="expired")]
    [name] = made.records
    assert made.files[name].decode().endswith("# Scenario s.2: The oven — at night\n\n## Dialogue\n")
    assert [json.loads(line)["content"] for line in made.files[LINES].splitlines()] == [None, {}]
    assert not made.notes()


def test_further_samples_have_files_and_numbers_of_their_own():
    made = bundle([[plain(), plain(id="ct05", sample=Big(2))]], bundle_context())
    assert [name.rpartition("/")[2] for name in made.records] == [
        "transcript.s1.openai-gpt-4-1.crun1.md",
        "transcript.s1.openai-gpt-4-1.crun1-2.md",
    ]
    text = made.files["run_crun1/transcripts/aggregated_transcript.anon_model_001.md"].decode()
    assert re.findall(r"^## Scenario: (\S+)", text, re.MULTILINE) == ["scenario_001", "scenario_004"]


def test_a_transcript_without_a_scenario_is_not_lost():
    made = bundle([[plain(scenario_id=None)]], bundle_context())
    [name] = made.records
    assert name.endswith("transcript.none.openai-gpt-4-1.crun1.md")
    front, _ = tool_readers.frontmatter(made.files[name].decode())
    assert front["scenario_id"] is None
    assert [(note.kind, note.count) for note in made.notes()] == [("scenario_unknown", 1)]


def test_a_subject_that_no_heading_can_hold_is_changed_and_noted_once():
    context = bundle_context(
        scenarios=[scenario("s1", "n", subject=" a\n**Target:** b "), scenario("s.2", "n", subject=" ")]
    )
    made = bundle([[plain(), plain(id="ct05", sample=Big(2))], [plain(id="ct06", scenario_id="s.2")]], context)
    assert b"# Scenario s1: a **Target\\:** b\n" in made.files[made.records[0]]
    assert b"# Scenario s.2: s.2\n" in made.files[made.records[2]]
    notes = {(note.kind, note.where): (note.count, note.examples) for note in made.report}
    assert notes["marker_escaped", "scenario heading"] == (1, ("s1",))
    assert notes["line_ends_in_heading", "scenario heading"] == (1, ("s1",))


def test_lone_surrogates_are_replaced_in_both_forms_and_noted_once():
    stored = Jsonb(text=r'{"turns": [{"targetResponse": "a\ud800b"}]}')
    made = bundle([[plain(content=stored)]], bundle_context())
    assert "**Target:** a\ufffdb\n" in made.files[made.records[0]].decode()
    assert json.loads(made.files[LINES])["content"]["turns"][0]["targetResponse"] == "a\ufffdb"
    assert [(note.kind, note.count) for note in made.notes()] == [("lone_surrogate", 1)]


@pytest.mark.parametrize(
    "stored", [{"schema_version": 2}, {"turns": "x"}, [1], {"turns": [1]}, {"turns": [{"targetResponse": 1}]}]
)
def test_content_of_unknown_version_or_shape_is_an_error_that_names_the_transcript(stored):
    with pytest.raises(ContentError, match="transcript ct04"):
        bundle([[plain(content=Jsonb(stored))]], bundle_context())


@pytest.mark.parametrize("changes", [{"scenario_id": "gone"}, {"target_model": "gone"}, {"sample": None}, {"id": None}])
def test_rows_that_are_not_of_the_context_are_an_integrity_error(changes):
    with pytest.raises(IntegrityError):
        bundle([[plain(**changes)]], bundle_context())


def test_a_megabyte_of_response_is_whole():
    long = "é\n#" * 400_000
    made = bundle([[plain(content=Jsonb({"turns": [{"targetResponse": long}]}))]], bundle_context())
    assert f"**Target:** {long}\n" in made.files[made.records[0]].decode()


def test_times_beyond_the_calendar_are_text():
    made = bundle([[plain(created_at=Big(2**63 - 1))]], bundle_context())
    front, _ = tool_readers.frontmatter(made.files[made.records[0]].decode())
    assert front["timestamp"] == "infinity"
    made = bundle([[plain(created_at=datetime(2026, 1, 1, tzinfo=UTC))]], bundle_context())
    front, _ = tool_readers.frontmatter(made.files[made.records[0]].decode())
    assert front["timestamp"] == "2026-01-01T00:00:00.000000Z"
