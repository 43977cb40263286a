import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.rendering.tool_markers import escaped, one_line
from export_pipelines_tests.rendering.hostile import TEXTS

MARKERS = [
    "**Probe:**", "**Target:**", "**target:**", "**TARGET:**", "#### Turn 2", "####Turn", "####\nTurn 1",
    "##### Turn 1", "## Scenario: scenario_001 — x", "##\nScenario: scenario_1 — y", "###Scenario:",
    "**Probe:**Target:**",
    "**Target:**Probe:**Target:**",
]  # fmt: skip
HARMLESS = ["### Dialogue", "Probe:", "**Choice:**", "**", "#", "## ", "Turn 1", "Scenario: a", "**Target**:", ":**"]
MARKED = st.lists(st.sampled_from(MARKERS + HARMLESS) | TEXTS, max_size=6).map("".join)
TAKEN_FOR_MARKER = re.compile(r"\*\*(?i:probe|target):\*\*|####\s*Turn|##\s*Scenario:")


@given(MARKED)
def test_nothing_that_looks_like_a_marker_is_left_and_other_texts_stay(text):
    safe = escaped(text)
    assert not TAKEN_FOR_MARKER.search(safe)
    assert (safe == text) == (not TAKEN_FOR_MARKER.search(text))
    assert safe.replace("\\", "") == text.replace("\\", "")
    assert escaped(safe) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("**Probe:** hm", r"**Probe\:** hm"),
        ("say **target:**", r"say **target\:**"),
        ("**Probe:**Target:**", r"**Probe\:**Target\:**"),
        ("#### Turn 3", r"###\# Turn 3"),
        ("## Scenario: scenario_001 — a", r"#\# Scenario: scenario_001 — a"),
    ],
)
def test_a_backslash_breaks_the_marker_and_shows_nearly_the_same(text, safe):
    assert escaped(text) == safe


@pytest.mark.parametrize("text", HARMLESS)
def test_what_no_tool_takes_for_a_marker_stays(text):
    assert escaped(text) == text


@given(TEXTS)
def test_a_heading_is_one_line(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line.split() == text.split()
    assert line == text or len(f"{text}x".splitlines()) > 1
