import pytest

from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.transcripts import Turn
from export_pipelines.rendering.transcript_markdown import dialogue


def turn(**changes):
    return Turn(**{"number": 1, "label": "scenario_prompt", "probe": "Choose.", "target": "2 - this"} | changes)


def written(*turns):
    report = FidelityReport()
    return dialogue(turns, transcript_id="ct1", report=report), [(note.kind, note.count) for note in report]


def test_turns_stand_one_after_the_other_and_nothing_follows_the_last():
    text, notes = written(turn(), turn(number=2, label="follow_up_1", probe=" And?\n", target="\n\tSo.\n\n"))
    assert text == (
        "#### Turn 1 (scenario_prompt)\n**Probe:** Choose.\n\n**Target:** 2 - this\n\n"
        "#### Turn 2 (follow_up_1)\n**Probe:** And?\n\n**Target:** So."
    )
    assert notes == []


def test_no_turns_are_no_text():
    assert written() == ("", [])


def test_without_a_text_the_marker_stands_alone():
    assert written(turn(probe="", target=" \n"))[0].endswith("**Probe:**\n\n**Target:**")


@pytest.mark.parametrize(
    ("changes", "kind", "shown"),
    [
        ({"target": "a\n**Probe:** b"}, "marker_escaped", "a\n**Probe\\:** b"),
        ({"probe": "#### Turn 9"}, "marker_escaped", "###\\# Turn 9"),
        ({"label": "x **Target:** y"}, "marker_escaped", "(x **Target\\:** y)"),
        ({"label": "x\r\ny"}, "line_ends_in_heading", "(x y)"),
        ({"target": "a\rb"}, "carriage_return", "a\rb"),
        ({"number": -3}, "turn_number", "#### Turn 1 ("),
    ],
)
def test_what_the_tools_would_read_otherwise_is_noted_once_a_transcript(changes, kind, shown):
    text, notes = written(turn(**changes), turn(**changes))
    assert shown in text
    assert notes == [(kind, 1)]


def test_a_label_of_blanks_is_no_label():
    assert written(turn(label=" "))[0].startswith("#### Turn 1\n")
