import hashlib
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import ContentError
from export_pipelines_tests.rendering.bundles import bundle, bundle_context, scenario
from export_pipelines_tests.rendering.hostile import JSON, TEXTS

MANIFEST = "run_crun1/transcripts/run_manifest.yaml"


def documents(**changes):
    return bundle([[]], bundle_context(**changes))


def manifest(**changes):
    return yaml.safe_load(documents(**changes).files[MANIFEST])


def test_an_empty_run_still_has_its_documents():
    made = documents()
    assert sorted(made.files) == [
        "run_crun1/analysis/win_rates.json",
        "run_crun1/definition.md",
        "run_crun1/scenarios.yaml",
        "run_crun1/transcripts.jsonl",
        "run_crun1/transcripts/aggregated_transcript.anon_model_001.md",
        "run_crun1/transcripts/aggregated_transcript.anon_model_002.md",
        "run_crun1/transcripts/run_manifest.yaml",
    ]
    assert made.records == made.absent == []


def test_the_tools_manifest_has_their_keys_in_their_order():
    read = manifest()
    assert list(read)[:8] == [
        "run_id", "created_at", "probe_model", "scenario_list", "runtime_config", "models", "judge_model",
        "version_hashes",
    ]  # fmt: skip
    assert read["run_id"] == "crun1"
    assert read["created_at"] == "2026-01-02T03:04:05.678900Z"
    assert read["probe_model"] == "openai:gpt-4.1"
    assert read["judge_model"] == "anthropic:claude-sonnet-4-20250514"
    assert read["scenario_list"] == ["s1", "s.2"]
    assert read["runtime_config"] == {"temperature": 0.7, "samples": 2}
    assert read["models"] == {
        "anon_model_001": {"true_model": "openai:gpt-4.1", "provider": "openai", "model_version": "2025-04-14"},
        "anon_model_002": {
            "true_model": "anthropic:claude-sonnet-4-20250514",
            "provider": "anthropic",
            "model_version": None,
        },
    }


def test_the_judges_numbers_lead_back_to_the_scenarios():
    read = manifest()
    assert read["scenario_numbers"] == {
        "scenario_001": {"id": "s1", "name": "Bakery 1"},
        "scenario_002": {"id": "s.2", "name": "Bakery 2"},
    }
    assert read["samples"]["numbers_a_sample"] == 3


def test_version_hashes_are_those_of_the_bundles_own_files():
    made = documents()
    hashes = yaml.safe_load(made.files[MANIFEST])["version_hashes"]
    for name, file in (("definition_hash", "definition.md"), ("scenarios_hash", "scenarios.yaml")):
        assert hashes[name] == hashlib.sha256(made.files[f"run_crun1/{file}"]).hexdigest()[:12]


@given(TEXTS, TEXTS, st.dictionaries(TEXTS, JSON, max_size=4))
def test_the_tools_manifest_survives_any_names(scenario_id, model, config):
    context = bundle_context(
        scenarios=[scenario(scenario_id or "s", "n")], models=[{"id": model, "model_version": scenario_id}]
    )
    run = context["run"] | {"config": config}
    read = yaml.safe_load(bundle([[]], context | {"run": run}).files[MANIFEST])
    assert read["scenario_list"] == [scenario_id or "s"]
    assert read["models"]["anon_model_001"]["true_model"] == model
    plain = {name: value for name, value in config.items() if not isinstance(value, list | dict)}
    expected = {"temperature": plain.get("temperature")} | plain
    assert read["runtime_config"] == {n: v for n, v in expected.items() if n not in ("probe_model", "judge_model")}


def test_a_run_without_settings_says_so_with_nulls():
    context = bundle_context()
    read = manifest(run=context["run"] | {"config": {}})
    assert (read["probe_model"], read["judge_model"], read["runtime_config"]) == (None, None, {"temperature": None})


def test_a_run_without_scenarios_has_no_file_of_them():
    assert "run_crun1/scenarios.yaml" not in documents(scenarios=[]).files


def test_definition_and_scenarios_are_those_of_the_other_exports():
    made = documents()
    assert made.files["run_crun1/definition.md"].startswith(b"---\nname: Night bakery\n")
    read = yaml.safe_load(made.files["run_crun1/scenarios.yaml"])
    assert [entry["subject"] for entry in read["scenarios"].values()] == [
        "Night bakery - Freedom 1, Harmony 2",
        "The oven — at night",
    ]


def test_what_a_document_cannot_keep_is_noted_with_its_name():
    made = documents(definition=bundle_context()["definition"] | {"name": "two\nlines"})
    assert any(note.where.startswith("definition.md: ") for note in made.report)


@given(st.dictionaries(TEXTS, JSON, max_size=3))
def test_analyses_are_whole(output):
    analysis = {"type": "a.b", "output": output, "input_hash": "h", "code_version": "v", "created_at": "t"}
    made = documents(analysis=[analysis, analysis | {"type": "a-b"}])
    assert json.loads(made.files["run_crun1/analysis/a-b.json"]) == analysis
    assert json.loads(made.files["run_crun1/analysis/a-b-2.json"])["type"] == "a-b"


def test_a_scenario_of_unknown_version_is_named():
    with pytest.raises(ContentError, match="scenario s9 has content of schema_version 7"):
        documents(scenarios=[scenario("s9", "n", schema_version=7)])
