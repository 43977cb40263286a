"""Scenarios from YAML: ours come back and export to the same bytes, mistakes are named with their line."""

import io
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given

from export_pipelines.core.definitions import DefinitionContent, Dimension, to_json
from export_pipelines.core.errors import ImportFileError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.imports import ImportedScenario
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.parsing import scenarios_yaml
from export_pipelines.parsing.scenarios_yaml import parse
from export_pipelines.rendering.scenarios_yaml import render_document
from export_pipelines_tests.rendering.scenario_samples import HOSTILE, REALISTIC
from export_pipelines_tests.scenario_contents import SCENARIOS, YAML_TEXT

HAND_WRITTEN = """version: 3
preamble: >
  Say which you
  would pick.

followups:
  why: Why?
scenarios:
  scenario_012_Freedom1_Harmony-2:
    base_id: scenario_012
    category: Freedom_vs_Harmony
    subject: 'It''s late'
    status: done
    body: |
      Full prompt
        with indent

  plain:
    body: just a line
"""


def definition(preamble: str, dimensions=("Freedom", "Self Direction")) -> dict:
    content = DefinitionContent(preamble=preamble, dimensions=tuple(Dimension(name=name) for name in dimensions))
    return {"id": "d1", "name": "Best man", "tags": [], "content": to_json(content)}


def exported(definition_, scenarios) -> bytes:
    return b"".join(render_document(definition_, scenarios, FidelityReport()))


def stored(imported) -> list:
    """What an import stores: the key as the name, ids that ascend in the order of the file."""
    return [
        (f"new{index:09}", scenario.key, scenario.content(preamble=imported.preamble))
        for index, scenario in enumerate(imported.scenarios)
    ]


def without_nul(scenarios):
    """PostgreSQL stores no NUL, so no export of stored data has one, and no import takes one."""
    return [(id_, name.replace("\x00", ""), replace(content, **cleaned(content))) for id_, name, content in scenarios]


def cleaned(content) -> dict:
    texts = {field: getattr(content, field) for field in ("prompt", "preamble", "subject", "category", "base_id")}
    return {
        "dimensions": {name.replace("\x00", ""): score for name, score in content.dimensions.items()},
        **{field: text.replace("\x00", "") for field, text in texts.items() if text is not None},
    }


@given(YAML_TEXT, SCENARIOS)
@example("p", [("s0", "scenario_1_Physical_Safety1", ScenarioContent(prompt="x", dimensions={"Safety": 1}))])
def test_export_import_export_gives_the_same_bytes_under_any_definition(preamble, scenarios):
    first = exported(definition(preamble.replace("\x00", "")), without_nul(scenarios))
    again = stored(parse(first))
    assert exported(definition(preamble.replace("\x00", "")), again) == first
    assert exported(definition("another", dimensions=("Harmony", "SelfDirection")), again) == first


@given(YAML_TEXT, SCENARIOS)
def test_every_text_comes_back_exactly(preamble, scenarios):
    clean = without_nul(scenarios)
    imported = parse(exported(definition(preamble.replace("\x00", "")), clean))
    for (_, _, content), scenario in zip(clean, imported.scenarios, strict=True):
        assert scenario.body == content.prompt
        assert content.subject in (None, scenario.subject)
        assert content.category in (None, scenario.category)
        assert content.base_id in (None, scenario.base_id)
    assert not imported.ignored


@pytest.mark.parametrize("sample", [REALISTIC, HOSTILE], ids=lambda sample: sample.file_name)
def test_the_samples_come_back(sample):
    first = exported(sample.definition, without_nul(sample.scenarios))
    assert exported(sample.definition, stored(parse(first))) == first


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("wrap", [bytes, io.BytesIO], ids=["bytes", "a file"])
def test_a_file_of_the_tools_is_read(wrap, ending):
    imported = parse(wrap(HAND_WRITTEN.replace("\n", ending).encode()))
    assert imported.preamble == "Say which you would pick."
    assert imported.scenarios == (
        ImportedScenario(
            key="scenario_012_Freedom1_Harmony-2",
            base_id="scenario_012",
            category="Freedom_vs_Harmony",
            subject="It's late",
            body="Full prompt\n  with indent",
            dimensions={"Freedom": 1, "Harmony": -2},
            line=9,
        ),
        ImportedScenario(key="plain", body="just a line", line=18),
    )
    assert imported.ignored == ("version (line 1)", "followups (line 6)", "scenarios.*.status (from line 13)")


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("  plain:\n", "  scenario_012_Freedom1_Harmony-2:\n", 18, "is there twice"),
        ("    body: just a line", "    body: a\n    body: b", 20, "'body' is there twice"),
        ("    body: just a line", "    subject: a", 18, "plain has no body"),
        ("    body: just a line", "    body: 12", 19, "'12' is no text to YAML; put it in quotes"),
        ("    body: just a line", "    body: 2024-01-01", 19, "is no text"),
        ("    body: just a line", "    body:", 19, "is empty; put it in quotes"),
        ("    body: just a line", "    body: [a]", 19, "body of plain has to be text"),
        ("    body: just a line", '    body: "a\\0b"', 19, "NUL or a lone surrogate"),
        ("    body: just a line", '    body: "\\ud800"', 19, "not YAML"),
        ("    body: just a line", "    body: !!binary aaaa", 19, "has the tag"),
        ("    body: just a line", "    body: !!python/object/apply:os.system [ls]", 19, "has to be text"),
        ("    body: just a line", "    - body", 19, "scenario plain has to be a mapping"),
        ("    body: just a line", "    <<: {}", 19, "is no text"),
        ("    body: just a line", "    body: *x", 19, "the alias \\*x is refused"),
        ("    body: just a line", "\tbody: x", 19, "not YAML"),
        ("  plain:\n", '  "":\n', 18, "empty key"),
        ("  plain:\n", "  1:\n", 18, "'1' is no text"),
        ("  plain:\n", "  ? [a]\n  :\n", 18, "a key of scenarios has to be text"),
        ("scenarios:\n", "scenarios: !!set\n", 8, "scenarios has to be a mapping"),
        ("preamble: >\n", "other: >\n", None, "no preamble"),
        ("scenarios:\n", "scenario:\n", None, "no scenarios"),
        ("version: 3\n", "--- {}\n---\n", 2, "a second document"),
        ("version: 3\n", "version: \x00\n", 1, "NUL"),
        ("version: 3\n", "version: \x07\n", None, "U\\+0007"),
        ("version: 3\n", f"version: {'[' * 60}{']' * 60}\n", 1, "nested too deeply"),
    ],
)
def test_every_mistake_is_named_with_its_line(old, new, line, reason):
    assert old in HAND_WRITTEN
    with pytest.raises(ImportFileError, match=reason) as caught:
        parse(HAND_WRITTEN.replace(old, new, 1).encode())
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"# only a comment\n", "no YAML document"),
        (b"just text", "the file has to be a mapping"),
        (b"- a\n- b\n", "the file has to be a mapping"),
        (b"{}", "no preamble"),
        (b"preamble: x\nscenarios: {}\n", "no scenarios"),
        (b"preamble: x\nscenarios: []\n", "line 2: scenarios has to be a mapping"),
        (b"preamble: caf\xe9\n", "line 1: byte 0xe9 is not UTF-8"),
        (b"preamble: 'x", "not YAML"),
        ("preamble: x".encode("utf-16"), "not UTF-8"),
    ],
)
def test_files_that_are_no_scenarios_are_refused(data, reason):
    with pytest.raises(ImportFileError, match=reason):
        parse(data)


def test_a_file_over_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(scenarios_yaml, "LIMIT", 10)
    for data in (HAND_WRITTEN.encode(), io.BytesIO(HAND_WRITTEN.encode())):
        with pytest.raises(ImportFileError, match="the limit is 10"):
            parse(data)


def test_an_alias_bomb_is_refused_before_it_grows():
    layers = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    with pytest.raises(ImportFileError, match="line 2: the alias \\*l0 is refused"):
        parse(f"l0: &l0 [x]\n{layers}".encode())


def test_a_file_that_only_opens_brackets_is_refused_at_once():
    with pytest.raises(ImportFileError, match="nested too deeply"):
        parse(b"a: " + b"[" * 1_000_000)


@given(YAML_TEXT)
def test_no_text_at_all_makes_anything_but_a_clear_error(text):
    for data in (text, f"preamble: x\nscenarios:\n  a:\n    body: {text}\n", f"preamble: |\n {text}", f"{text}: x"):
        with suppress(ImportFileError):
            parse(data.encode())
