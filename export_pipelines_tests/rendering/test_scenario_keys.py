"""Keys of scenarios: one each, readable by the analysis step, the same whatever the order."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.rendering.scenario_keys import scenario_keys
from export_pipelines_tests.scenario_contents import SCENARIOS

ANALYSIS_FORM = re.compile(r"scenario_[0-9]+(_[A-Za-z]+-?[0-9]+)+")


def scenario(id_, name, **dimensions):
    return {"id": id_, "name": name, "dimensions": dimensions}


def headings(scenarios):
    return [{"id": id_, "name": name, "dimensions": content.numeric_dimensions()} for id_, name, content in scenarios]


@given(SCENARIOS, st.randoms(use_true_random=False))
def test_every_scenario_has_a_key_of_its_own_whatever_the_order(scenarios, random):
    known = headings(scenarios)
    keys = scenario_keys(known)
    assert len(set(keys.values())) == len(scenarios)
    assert all(re.fullmatch("[A-Za-z0-9_-]+", key) for key in keys.values())
    random.shuffle(known)
    assert scenario_keys(known) == keys


@given(SCENARIOS)
def test_whole_scores_always_make_a_key_that_the_analysis_reads(scenarios):
    keys = scenario_keys(headings(scenarios))
    for id_, name, content in scenarios:
        whole = {dim: score for dim, score in content.numeric_dimensions().items() if float(score).is_integer()}
        if whole and "Physical" not in name:
            assert ANALYSIS_FORM.fullmatch(keys[id_])


@given(SCENARIOS)
def test_keys_taken_as_names_stay_as_they_are(scenarios):
    keys = scenario_keys(headings(scenarios))
    again = [{**known, "name": keys[known["id"]]} for known in headings(scenarios)]
    assert scenario_keys(again) == keys


@pytest.mark.parametrize(
    ("name", "dimensions", "key"),
    [
        ("Best man!", {}, "Best_man_"),
        ("", {}, "_"),
        ("scenario_012_Freedom1_Harmony2", {"Freedom": 1, "Harmony": 2}, "scenario_012_Freedom1_Harmony2"),
        ("scenario-012 Freedom1", {"Freedom": 1}, "scenario_012_Freedom1"),
        ("scenario_012", {"Harmony": 2, "Freedom": 1}, "scenario_012_Freedom1_Harmony2"),
        ("Best man", {"Harmony": 2, "Freedom": 1}, "scenario_027_Freedom1_Harmony2"),
        ("Best man", {"Freedom": 1.0, "Harmony": 2.5}, "scenario_027_Freedom1"),
        ("Best man", {"Freedom": 1.5}, "Best_man"),
        (
            "Best man",
            {"Self Direction": 3, "Égalité": 4, "自由": 5},
            "scenario_027_DimensionA5_SelfDirection3_Egalite4",
        ),
        ("Best man", {"Freedom": -1}, "scenario_027_Freedom-1"),
        ("scenario_1_Physical_Safety1", {"Safety": 1}, "scenario_1_Physical_Safety1"),
        ("scenario_1_Physical_Safety1", {"Physical Safety": 1}, "scenario_1_PhysicalSafety1"),
    ],
)
def test_a_key_is_the_name_or_says_the_scores(name, dimensions, key):
    known = {"id": "s1", "name": name, "dimensions": dimensions}
    assert scenario_keys([known], dimensions=["Freedom", "Harmony", "自由"], number="027") == {"s1": key}


def test_names_that_collide_get_a_number_and_nobody_loses_the_key_that_is_his_name():
    known = [scenario("s1", "a b"), scenario("s2", "a-b"), scenario("s3", "a_b"), scenario("s4", "a_b_2")]
    assert scenario_keys(known) == {"s1": "a_b_3", "s2": "a_b_4", "s3": "a_b", "s4": "a_b_2"}


def test_keys_with_scores_that_collide_stay_readable_for_the_analysis():
    known = [scenario("s2", "x", Freedom=1), scenario("s1", "y", Freedom=1), scenario("s3", "z", Freedom=1)]
    assert scenario_keys(known) == {
        "s1": "scenario_001_Freedom1",
        "s2": "scenario_00102_Freedom1",
        "s3": "scenario_00103_Freedom1",
    }


def test_dimensions_whose_letters_are_the_same_get_different_words():
    known = [{"id": "s1", "name": "x", "dimensions": {"A B": 1, "AB": 2, "A-B": 3}}]
    assert scenario_keys(known) == {"s1": "scenario_001_AB1_ABA3_ABB2"}


def test_thousands_of_equal_names_are_numbered_quickly():
    known = [scenario(f"s{index:05}", "same", Freedom=1) for index in range(3_000)]
    assert len(set(scenario_keys(known).values())) == 3_000
