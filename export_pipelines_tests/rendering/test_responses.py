import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import ContentError, IntegrityError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering.responses import Responses
from export_pipelines_tests.rendering.copy_rows import Jsonb, field
from export_pipelines_tests.rendering.hostile import TEXTS, optional


def text_of(stored):
    report = FidelityReport()
    text = Responses("Target Response", report).text(field(stored), b"ct1")
    return text, [note.as_json() for note in report]


@given(st.lists(optional(TEXTS), max_size=4))
def test_responses_are_joined_by_a_rule_between_blank_lines(responses):
    text, notes = text_of(Jsonb(responses))
    assert text.decode() == "\n\n---\n\n".join(response or "" for response in responses)
    assert notes == []


def test_content_in_the_shape_of_messages_is_read():
    content = {
        "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "1"}],
        "schema_version": 1,
    }
    assert text_of(Jsonb(content)) == (b"1", [])
    assert text_of(Jsonb({})) == (b"", [])
    assert text_of(Jsonb({"turns": [{"targetResponse": None}, {"targetResponse": "b"}]})) == (b"\n\n---\n\nb", [])


def test_expired_content_is_none_and_noted():
    text, [note] = text_of(None)
    assert text is None
    assert (note["kind"], note["where"], note["examples"]) == ("content_expired", "column Target Response", ["ct1"])


def test_characters_that_no_cell_can_hold_are_replaced_and_noted():
    text, notes = text_of(Jsonb(text=r'["a\ud800b\u0000c", "\ud83d\ude00"]'))
    assert text.decode() == "a\ufffdb\ufffdc\n\n---\n\n😀"
    assert [(note["kind"], note["count"]) for note in notes] == [("lone_surrogate", 1), ("nul_character", 1)]


@pytest.mark.parametrize("stored", [{"schema_version": 2, "messages": []}, "text", 1, True, [1], [["a"]], {"turns": 1}])
def test_content_of_unknown_version_or_shape_is_an_error_that_names_the_transcript(stored):
    with pytest.raises(ContentError, match="transcript ct1 has"):
        text_of(Jsonb(stored))


def test_content_nested_beyond_reading_is_an_error_that_names_the_transcript():
    with pytest.raises(ContentError, match="transcript ct1 has column Target Response nested too deeply"):
        text_of(Jsonb(text="[" * 100_000 + "]" * 100_000))


def test_what_is_no_json_is_damage():
    with pytest.raises(IntegrityError, match="transcript ct1 has column Target Response that is not JSON"):
        text_of(Jsonb(text='["a'))


def test_numbers_beyond_a_double_do_not_matter():
    assert text_of(Jsonb(text='{"turns": [{"targetResponse": "a", "cost": ' + "9" * 400 + "}]}")) == (b"a", [])


def test_a_megabyte_is_one_text():
    long = "é\n" * 500_000
    assert text_of(Jsonb(text=json.dumps([long])))[0].decode() == long
