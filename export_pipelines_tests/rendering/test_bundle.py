import pytest

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering.bundle import RunBundle
from export_pipelines_tests.golden_files import assert_golden
from export_pipelines_tests.rendering.bundles import bundle, bundle_context
from export_pipelines_tests.rendering.sample_transcripts import samples


def test_the_manifest_lies_at_the_top_of_the_bundle():
    assert RunBundle().manifest_name(bundle_context()) == "run_crun1/manifest.yaml"


def test_the_manifest_begins_with_facts_of_the_data():
    assert RunBundle().manifest_head(bundle_context()) == {
        "run": {
            "id": "crun1",
            "name": "A run",
            "status": "COMPLETED",
            "created_at": "2026-01-02T03:04:05.678900Z",
            "started_at": None,
            "completed_at": "2026-01-02T04:04:05.678900Z",
        },
        "definition": {"id": "cdef1", "name": "Night bakery"},
        "models": [
            {"anon_id": "anon_model_001", "id": "openai:gpt-4.1", "model_version": "2025-04-14"},
            {"anon_id": "anon_model_002", "id": "anthropic:claude-sonnet-4-20250514", "model_version": None},
        ],
        "scenarios": 2,
    }


def test_later_shards_bring_no_documents():
    assert list(RunBundle().entries(iter([]), bundle_context(), FidelityReport(), shard=1)) == []


def test_other_columns_than_the_formats_own_are_refused():
    context = bundle_context(columns=[{"name": "id", "type": "text"}])
    with pytest.raises(IntegrityError, match="the frozen rows have the columns id"):
        list(RunBundle().entries(iter([]), context, FidelityReport(), shard=0))


def test_a_row_of_other_fields_is_damage():
    rows = iter([(b"ct1", b"s1", b"openai:gpt-4.1", *[None] * 2, b"x", *[None] * 8)])
    with pytest.raises(IntegrityError, match="a frozen row is damaged"):
        list(RunBundle().entries(rows, bundle_context(), FidelityReport(), shard=1))


@pytest.mark.parametrize(
    "name",
    [
        "transcripts.jsonl",
        "analysis/win_rates.json",
        "transcripts/run_manifest.yaml",
        "transcripts/aggregated_transcript.anon_model_001.md",
        "transcripts/aggregated_transcript.anon_model_002.md",
        "transcripts/transcript.s1.anthropic-claude-sonnet-4-20250514.crun1.md",
        "transcripts/transcript.s1.anthropic-claude-sonnet-4-20250514.crun1-2.md",
        "transcripts/transcript.s1.openai-gpt-4-1.crun1.md",
        "transcripts/transcript.s-2.openai-gpt-4-1.crun1.md",
    ],
)
def test_the_bytes_stay_as_they_were(name):
    made = bundle([samples()[:2], samples()[2:]], bundle_context())
    assert len(made.files) == 11
    assert_golden(f"run_bundle/{name}", made.files[f"run_crun1/{name}"])
