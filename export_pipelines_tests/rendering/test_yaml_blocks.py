"""Texts as YAML scalars: both loaders give back exactly what was written, in the style that was asked for."""

import pytest
import yaml
from hypothesis import given

from export_pipelines.rendering.yaml_blocks import flow, folded, keepable, literal, quoted
from export_pipelines_tests.scenario_contents import YAML_TEXT

LOADERS = [yaml.SafeLoader, yaml.CSafeLoader]


def value_of(document: str, loader) -> tuple[object, str | None]:
    """The value at ``a.b`` and its style, with another key behind it to see where it ends."""
    node = yaml.compose(document, Loader=loader)
    [(_, inner), (after, _)] = node.value
    [(_, scalar)] = inner.value
    assert after.value == "after"
    value = yaml.load(document, Loader=loader)["a"]["b"]
    return value, scalar.style


def in_a_document(scalar: str, key: str = "b") -> str:
    return f"a:\n  {key}: {scalar}after: 1\n"


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(("write", "style"), [(literal, "|"), (folded, ">")])
@given(text=YAML_TEXT)
def test_every_text_comes_back_exactly_but_for_a_blocks_final_break(loader, write, style, text):
    value, found = value_of(in_a_document(write(text, indent=4)), loader)
    assert found in (style, '"')
    assert value == (f"{text}\n" if found == style else text)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("write", [flow, quoted])
@given(text=YAML_TEXT)
def test_scalars_on_one_line_come_back_exactly_and_as_text(loader, write, text):
    scalar = write(text)
    assert "\n" not in scalar
    assert value_of(in_a_document(f"{scalar}\n"), loader)[0] == text


@pytest.mark.parametrize(
    "text",
    [
        *[
            "one line",
            "two\nlines",
            "\tb",
            " b",
            "b ",
            "a \nb",
            "a\n\n\nb",
            "a\n  \nb",
            "a\n",
            "a\n\n",
            "\n\na",
            "\n  a\nb",
        ],
        *[
            "---",
            "--- a\n...",
            "# a",
            "a: b",
            "- a",
            "%TAG",
            "'\"\\",
            "a\n ",
            "日本語\n🙂",
            "\xa0",
            "x" * 100_000,
            "a\tb\t",
        ],
    ],
)
@pytest.mark.parametrize(("write", "style"), [(literal, "|"), (folded, ">")])
def test_whatever_a_block_can_hold_is_a_block(write, style, text):
    assert value_of(in_a_document(write(text, indent=4)), yaml.CSafeLoader) == (f"{text}\n", style)


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\t\n ", "a\rb", "a\r\nb", "\x00", "\x85", "\u2028", "\ufeff", "\x7f", "\ufffe"]
)
def test_what_no_block_can_hold_is_quoted(text):
    assert value_of(in_a_document(literal(text, indent=4)), yaml.CSafeLoader) == (text, '"')


@pytest.mark.parametrize("text", ["Best Man - Freedom 1, Harmony 2", "scenario_012", "A_vs_B", "Café (v2)", "自由"])
def test_ordinary_values_need_no_quotes(text):
    assert flow(text) == text


@pytest.mark.parametrize("text", ["", "yes", "Null", "n", "012", "1_000", "a: b", "a #b", "- a", "a ", "é\u2028", "x:"])
def test_values_that_yaml_would_read_otherwise_are_quoted(text):
    assert flow(text).startswith('"')


def test_lone_surrogates_become_the_replacement_character():
    assert keepable("a\ud800b\U0001f600") == "a\ufffdb\U0001f600"
