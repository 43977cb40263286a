import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.member_names import encode_name
from export_pipelines.rendering.bundle_names import NO_SCENARIO, BundleNames, folder_of, part
from export_pipelines_tests.rendering.bundles import bundle_context
from export_pipelines_tests.rendering.hostile import TEXTS

FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*.\s]')
CLASHING = ["a.b", "a-b", "A-B", "a:b", "CON", "con", "é", "e\u0301", "none", "x" * 300, "日" * 90]
IDS = st.lists(st.sampled_from(CLASHING) | TEXTS.filter(bool), unique=True, max_size=6)


def names_of(scenarios, models, run="crun1"):
    context = bundle_context(
        scenarios=[{"id": id_, "name": id_, "content": {"prompt": ""}} for id_ in scenarios],
        models=[{"id": id_, "model_version": None} for id_ in models],
    )
    context["run"] = context["run"] | {"id": run}
    return BundleNames(context)


@given(IDS, IDS, TEXTS.filter(bool))
def test_every_transcript_has_a_name_of_its_own_that_every_system_can_store(scenarios, models, run):
    names = names_of(scenarios, models, run)
    wanted = [(s, m, n) for s in [*scenarios, NO_SCENARIO] for m in models for n in (1, 2, 11)]
    given = [names.transcript(*which) for which in wanted] + [names.aggregated(model) for model in models]
    assert len({name.casefold() for name in given}) == len(given)
    for name in given:
        *folders, file = name.split("/")
        assert len(folders) == 2
        assert len(file.encode()) <= 255
        encode_name(name)
        assert not any(FORBIDDEN.search(component) for component in [*folders, *file.split(".")])
    for (scenario, model, _), name in zip(wanted, given, strict=False):
        _, scenario_part, model_part, *_ = name.split("/")[-1].split(".")
        if len(part(scenario)) < 60 and scenario != NO_SCENARIO:
            assert scenario_part.startswith(part(scenario))
        assert model_part.startswith(part(model)[:10])


def test_dots_and_what_windows_forbids_become_hyphens():
    names = names_of(["s.2"], ["openai:gpt-4.1"])
    assert names.transcript("s.2", "openai:gpt-4.1", 1) == (
        "run_crun1/transcripts/transcript.s-2.openai-gpt-4-1.crun1.md"
    )
    assert names.transcript("s.2", "openai:gpt-4.1", 2).endswith(".openai-gpt-4-1.crun1-2.md")


def test_names_that_collide_are_numbered_in_the_order_of_the_lists():
    names = names_of(["a.b", "a-b", "A-B"], ["m"])
    assert [names.transcript(id_, "m", 1).split(".")[1] for id_ in ("a.b", "a-b", "A-B")] == ["a-b", "a-b-2", "A-B-3"]


def test_the_judge_sees_a_number_of_its_own_for_every_sample():
    names = names_of(["a", "b"], ["m"])
    assert [names.judged(id_, n) for n in (1, 2) for id_ in ("a", "b", NO_SCENARIO)] == [
        f"scenario_{number:03d}" for number in range(1, 7)
    ]


def test_models_are_numbered_in_the_runs_order():
    names = names_of([], ["z", "a"])
    assert names.aggregated("z") == "run_crun1/transcripts/aggregated_transcript.anon_model_001.md"
    assert names.anonymous("a") == "anon_model_002"


def test_a_transcript_of_another_context_is_refused():
    names = names_of(["a"], ["m"])
    names.check("ct1", "a", "m")
    with pytest.raises(IntegrityError, match="transcript ct1 is of scenario b"):
        names.check("ct1", "b", "m")
    with pytest.raises(IntegrityError, match="transcript ct1 is of model n"):
        names.check("ct1", "a", "n")


def test_the_folder_is_named_for_the_run():
    assert folder_of(bundle_context()) == "run_crun1"
