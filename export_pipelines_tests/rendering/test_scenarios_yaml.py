"""Scenarios as YAML: what both loaders read, what the tools make of it, and a report that names the difference."""

import json
import resource
import time
from dataclasses import replace

import orjson
import pytest
import yaml
from hypothesis import given

from export_pipelines.core import scenarios as stored
from export_pipelines.core.definitions import DefinitionContent, Dimension, to_json
from export_pipelines.core.errors import ContentError, IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.rendering.scenarios_yaml import ScenariosYaml, render_document
from export_pipelines_tests.golden_files import assert_golden
from export_pipelines_tests.rendering import old_scenarios_reader
from export_pipelines_tests.rendering.scenario_samples import HOSTILE, REALISTIC
from export_pipelines_tests.scenario_contents import SCENARIOS, YAML_TEXT


def definition_of(preamble="Say which.", *, name="Best Man", tags=(), dimensions=("Freedom", "Harmony"), base_id=None):
    content = DefinitionContent(
        preamble=preamble, dimensions=tuple(Dimension(name=dimension) for dimension in dimensions), base_id=base_id
    )
    return {"id": "d1", "name": name, "tags": list(tags), "content": to_json(content)}


def rendered(scenarios, definition=None):
    report = FidelityReport()
    return b"".join(render_document(definition or definition_of(), scenarios, report)), report


def context_of(definition, scenarios):
    headings = [
        {"id": id_, "name": name, "dimensions": content.numeric_dimensions(), "preamble": content.preamble}
        for id_, name, content in scenarios
    ]
    return json.loads(json.dumps({"definition": definition, "scenarios": headings, "options": {}}))


def rows_of(scenarios):
    for id_, name, content in scenarios:
        yield id_.encode(), name.encode(), b"\x01" + orjson.dumps(stored.to_json(content))


def without_final_break(text: str) -> set[str]:
    """What a text may have been when a loader gives this; a block's final line break is the block's."""
    return {text, text.removesuffix("\n")}


def places(report):
    return {(note.kind, note.where) for note in report}


def test_the_sample_of_the_format_is_written_to_the_byte():
    content = ScenarioContent(prompt="Full prompt ...", dimensions={"Harmony": 2, "Freedom": 1})
    data, report = rendered(
        [("s1", "scenario_012_Freedom1_Harmony2", content)],
        definition_of("Say which.\nBriefly.", base_id="scenario_012"),
    )
    assert data.decode() == (
        "preamble: >\n  Say which.\n\n  Briefly.\n"
        "scenarios:\n"
        "  scenario_012_Freedom1_Harmony2:\n"
        "    base_id: scenario_012\n"
        "    category: Freedom_vs_Harmony\n"
        "    subject: Best Man - Freedom 1, Harmony 2\n"
        "    body: |\n"
        "      Full prompt ...\n"
    )
    assert not report


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@given(preamble=YAML_TEXT, scenarios=SCENARIOS)
def test_loading_gives_back_the_exact_texts(loader, preamble, scenarios):
    definition = definition_of(preamble)
    data, _ = rendered([(id_, name, replace(content, preamble=None)) for id_, name, content in scenarios], definition)
    loaded = yaml.load(data, Loader=loader)
    assert preamble in without_final_break(loaded["preamble"])
    entries = list(loaded["scenarios"].values())
    assert len(entries) == len(scenarios)
    for entry, (_, _, content) in zip(entries, scenarios, strict=True):
        assert set(entry) == {"base_id", "category", "subject", "body"}
        assert content.prompt in without_final_break(entry["body"])
        for field in ("base_id", "category", "subject"):
            assert getattr(content, field) in (None, entry[field])


@given(preamble=YAML_TEXT, scenarios=SCENARIOS)
def test_the_report_names_exactly_what_the_tools_read_otherwise(preamble, scenarios):
    data, report = rendered(scenarios, definition_of(preamble))
    reading = old_scenarios_reader.read(data)
    expected = set()
    for (key, read), (id_, name, content) in zip(reading.in_file_order, scenarios, strict=True):
        own = {"body": content.prompt, "subject": content.subject, "base_id": content.base_id}
        expected |= {(id_, field) for field, text in own.items() if text is not None and read[field] != text}
        expected |= {(id_, f"dimensions.{dim}") for dim, score in content.dimensions.items() if read[dim] != score}
        if key != name:
            expected.add((id_, "name"))
        if reading.preamble != (preamble if content.preamble is None else content.preamble):
            expected.add((id_, "preamble"))
    noted = {(example, note.where) for note in report for example in note.examples}
    if ("stripped_by_reader", "preamble") in places(report):
        # Noted once for the file: every scenario whose preamble it is loses the same blanks.
        written = without_final_break(yaml.safe_load(data)["preamble"])
        own = {id_: preamble if content.preamble is None else content.preamble for id_, _, content in scenarios}
        noted |= {(id_, "preamble") for id_, text in own.items() if text in written and text != reading.preamble}
    assert noted == expected


@given(SCENARIOS)
def test_a_stream_of_shards_gives_the_same_bytes_and_notes_as_the_whole(scenarios):
    definition = definition_of(" two\nlines ")
    whole, whole_report = rendered(scenarios, definition)
    format_, context, report = ScenariosYaml(), context_of(definition, scenarios), FidelityReport()
    half = len(scenarios) // 2
    chunks = [format_.head(context)]
    for shard in (scenarios[:half], scenarios[half:]):
        chunks += format_.body(rows_of(shard), context, report)
    assert b"".join([*chunks, format_.tail(context)]) == whole
    assert report.notes() == whole_report.notes()


def test_the_tools_accept_a_file_whose_preamble_is_empty():
    data, report = rendered([("s1", "a", ScenarioContent(prompt="x"))], definition_of(""))
    assert old_scenarios_reader.read(data).preamble == ""
    assert not report


def test_what_a_scenario_states_itself_stands_before_what_is_derived():
    content = ScenarioContent(prompt="x", dimensions={"Freedom": 1}, subject="S", category="C", base_id="B")
    data, _ = rendered([("s1", "a", content)])
    [entry] = yaml.safe_load(data)["scenarios"].values()
    assert entry == {"base_id": "B", "category": "C", "subject": "S", "body": "x\n"}


@pytest.mark.parametrize(
    ("name", "dimensions", "definition", "expected"),
    [
        ("low", {}, definition_of(), ("scenario_Best_Man", "Freedom_vs_Harmony", "Best Man - low")),
        ("scenario_7", {}, definition_of(), ("scenario_7", "Freedom_vs_Harmony", "Best Man - scenario_7")),
        ("x", {"Freedom": 2.0}, definition_of(), ("scenario_001", "Freedom_vs_Harmony", "Best Man - Freedom 2")),
        ("x", {"Freedom": 2}, definition_of(base_id="b"), ("b", "Freedom_vs_Harmony", "Best Man - Freedom 2")),
        ("x", {"Freedom": "low"}, definition_of(tags=["T"]), ("scenario_Best_Man", "T", "Best Man - Freedom low")),
        ("x", {"B": 1, "A": 2.5}, definition_of(dimensions=()), ("scenario_001", "B_vs_A", "Best Man - A 2.5, B 1")),
    ],
)
def test_what_a_scenario_does_not_state_is_derived(name, dimensions, definition, expected):
    data, _ = rendered([("s1", name, ScenarioContent(prompt="x", dimensions=dimensions))], definition)
    [entry] = yaml.safe_load(data)["scenarios"].values()
    assert (entry["base_id"], entry["category"], entry["subject"]) == expected


def test_scenarios_whose_keys_collide_share_the_base_id():
    scenarios = [(f"s{index}", "x", ScenarioContent(prompt="x", dimensions={"Freedom": 1})) for index in range(3)]
    loaded = yaml.safe_load(rendered(scenarios)[0])["scenarios"]
    assert list(loaded) == ["scenario_001_Freedom1", "scenario_00102_Freedom1", "scenario_00103_Freedom1"]
    assert {entry["base_id"] for entry in loaded.values()} == {"scenario_001"}


def test_a_preamble_that_all_scenarios_share_is_the_files():
    shared = [(id_, id_, ScenarioContent(prompt="x", preamble="Own.")) for id_ in "ab"]
    assert yaml.safe_load(rendered(shared)[0])["preamble"] == "Own.\n"
    mixed = [*shared, ("c", "c", ScenarioContent(prompt="x"))]
    data, report = rendered(mixed)
    assert yaml.safe_load(data)["preamble"] == "Say which.\n"
    [note] = report
    assert (note.kind, note.where, note.count, note.examples) == ("preamble_differs", "preamble", 2, ("a", "b"))


def test_lone_surrogates_are_replaced_and_named():
    content = ScenarioContent(prompt="a\ud800", dimensions={"\udfff": 1}, subject="\udc00")
    data, report = rendered([("s1", "n\ud800", content)], definition_of("\ud800", name="\ud800"))
    assert "a\ufffd" in data.decode()
    assert {("character_replaced", "body"), ("character_replaced", "preamble")} <= places(report)


def test_no_scenarios_is_a_clear_error():
    with pytest.raises(ContentError, match="no scenarios; generate them first"):
        rendered([])
    with pytest.raises(ContentError, match="no scenarios; generate them first"):
        ScenariosYaml().head({"definition": definition_of(), "scenarios": []})


@pytest.mark.parametrize(
    ("row", "error", "reason"),
    [
        ((b"s1", b"a", None), ContentError, "scenario s1 has no content"),
        ((b"s1", b"a", b"\x01[]"), ContentError, "scenario s1 has content that is no object"),
        ((b"s1", b"a", b"\x01{}"), ContentError, "scenario s1 has no prompt"),
        ((b"s1", None, b"\x01{}"), IntegrityError, "no id or no name"),
        ((b"s9", b"a", b'\x01{"prompt": "x"}'), IntegrityError, "scenario s9 is not among"),
    ],
)
def test_rows_that_cannot_be_rendered_are_named(row, error, reason):
    context = context_of(definition_of(), [("s1", "a", ScenarioContent(prompt="x"))])
    with pytest.raises(error, match=reason):
        list(ScenariosYaml().body(iter([row]), context, FidelityReport()))


def test_json_that_only_the_standard_library_reads_is_read():
    context = context_of(definition_of(), [("s1", "a", ScenarioContent(prompt="x"))])
    report = FidelityReport()
    chunks = ScenariosYaml().body(iter([(b"s1", b"a", b'\x01{"prompt": "a\\ud800"}')]), context, report)
    assert "a\ufffd" in b"".join(chunks).decode()
    assert ("character_replaced", "body") in places(report)


def test_ten_thousand_scenarios_stream_in_seconds_and_constant_memory():
    prompt = "You are asked to choose.\n\n  - one\n  - two\n" * 120
    scenarios = [
        (f"s{index:05}", f"n{index:05}", ScenarioContent(prompt="", dimensions={"Freedom": index}))
        for index in range(10_000)
    ]
    context = context_of(definition_of(), scenarios)
    rows = (
        (id_.encode(), name.encode(), b"\x01" + orjson.dumps({"prompt": prompt, "dimensions": content.dimensions}))
        for id_, name, content in scenarios
    )
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    size = sum(len(chunk) for chunk in ScenariosYaml().body(rows, context, FidelityReport()))
    assert size > 50_000_000
    assert time.monotonic() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


@pytest.mark.parametrize("sample", [REALISTIC, HOSTILE], ids=lambda sample: sample.file_name)
def test_the_bytes_stay_as_they_are(sample):
    data, report = rendered(sample.scenarios, sample.definition)
    assert_golden(f"{sample.file_name}.scenarios.yaml", data)
    notes = "".join(f"{note.kind} {note.where} {note.count} {' '.join(note.examples)}\n" for note in report)
    assert_golden(f"{sample.file_name}.scenarios.yaml.fidelity.txt", notes.encode())
