"""Definitions as Markdown: the layout, and a fidelity report that names exactly what the tools read otherwise."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given

from export_pipelines.core.definitions import DefinitionContent, Dimension, Level, to_json
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.names import base_id_of
from export_pipelines.rendering.definition_markdown import DefinitionMarkdown, render
from export_pipelines_tests.definition_contents import CONTENTS, TAGS, TEXT
from export_pipelines_tests.golden_files import assert_golden
from export_pipelines_tests.rendering import old_markdown_reader
from export_pipelines_tests.rendering.definition_samples import HOSTILE, REALISTIC

PLAIN = DefinitionContent(
    preamble="Say which you would pick.",
    template="You face [freedom].",
    dimensions=(
        Dimension(
            name="Freedom",
            levels=(Level(score=1, label="Low", options=("a rule", "a ban")), Level(score=2, label="High")),
        ),
    ),
)


def rendered(content: DefinitionContent, *, name: str = "Best man", tags: tuple[str, ...] = ()):
    report = FidelityReport()
    return render(name=name, tags=tags, content=content, report=report), report


def noted(report: FidelityReport) -> set[str]:
    return {note.where for note in report}


def kinds(report: FidelityReport) -> dict[str, str]:
    return {note.where: note.kind for note in report}


def read_otherwise(name: str, tags, content: DefinitionContent, data: bytes) -> set[str]:
    """Where the tools' reading of the file differs from what was exported."""
    reading = old_markdown_reader.read(data)
    category = tags[0] if tags else "_vs_".join(dimension.name for dimension in content.dimensions)
    expected = {
        "name": (name, reading.front["name"]),
        "base_id": (base_id_of(name) if content.base_id is None else content.base_id, reading.front["base_id"]),
        "category": (category, reading.front["category"]),
        "preamble": (content.preamble, reading.texts["preamble"]),
        "template": (content.template, reading.texts["template"]),
        "matching_rules": (content.matching_rules, reading.texts.get("matching rules", "")),
    }
    assert len(reading.dimensions) == len(content.dimensions), "a dimension was cut in two or lost its heading"
    found = {where for where, (original, read) in expected.items() if original != read}
    for index, (dimension, read) in enumerate(zip(content.dimensions, reading.dimensions, strict=True)):
        found.update(dimension_otherwise(f"dimensions[{index}]", dimension, *read))
    return found


def dimension_otherwise(where: str, dimension: Dimension, name: str, rows: list) -> Iterator[str]:
    assert len(rows) == len(dimension.levels), "a row was lost or invented"
    kept = [row for row in rows if row]
    if not kept:
        yield where
        return
    if name != dimension.name:
        yield f"{where}.name"
    if sorted(kept, key=lambda row: row.score) != kept:
        yield f"{where}.levels"
    for index, (level, row) in enumerate(zip(dimension.levels, rows, strict=True)):
        yield from level_otherwise(f"{where}.levels[{index}]", level, row)


def level_otherwise(where: str, level: Level, row) -> Iterator[str]:
    if row is None:
        yield where
        return
    if row.score != level.score:
        yield f"{where}.score"
    if row.label != level.label:
        yield f"{where}.label"
    if level.description is not None:
        yield f"{where}.description"
    assert len(row.options) == len(level.options), "an option was lost or invented"
    for index, (option, read) in enumerate(zip(level.options, row.options, strict=True)):
        if option != read:
            yield f"{where}.options[{index}]"


@given(TEXT, TAGS, CONTENTS)
@example("n", [], DefinitionContent(preamble="\u2028# x"))
@example("n", [], DefinitionContent(preamble="#\r# x", template="#"))
def test_the_report_names_exactly_what_the_tools_read_otherwise(name, tags, content):
    data, report = rendered(content, name=name, tags=tuple(tags))
    assert noted(report) == read_otherwise(name, tags, content, data)


def test_a_plain_definition_has_the_tools_layout_and_an_empty_report():
    data, report = rendered(PLAIN, tags=("Freedom_vs_Order",))
    assert data.decode() == (
        "---\nname: Best man\nbase_id: scenario_Best_man\ncategory: Freedom_vs_Order\n---\n\n"
        "# Preamble\n\nSay which you would pick.\n\n"
        "# Template\n\nYou face [freedom].\n\n"
        "# Dimensions\n\n"
        "## Freedom\n\n"
        "| Score | Label | Options |\n|-------|-------|---------|\n| 1 | Low | a rule, a ban |\n| 2 | High | , |\n"
    )
    assert not report


def test_the_tools_read_a_plain_definition_whole():
    data, _ = rendered(PLAIN)
    reading = old_markdown_reader.read(data)
    assert reading.front == {"name": "Best man", "base_id": "scenario_Best_man", "category": "Freedom"}
    [(name, rows)] = reading.kept_dimensions()
    assert name == "Freedom"
    assert [(row.score, row.label, row.options) for row in rows] == [(1, "Low", ["a rule", "a ban"]), (2, "High", [])]


def test_matching_rules_get_a_section_only_when_there_are_any():
    assert b"# Matching Rules" not in rendered(PLAIN)[0]
    data, _ = rendered(DefinitionContent(matching_rules="No two alike."))
    assert data.endswith(b"# Matching Rules\n\nNo two alike.\n")


def test_the_category_is_the_first_tag_or_the_dimensions_names():
    content = DefinitionContent(dimensions=(Dimension(name="A"), Dimension(name="B")))
    assert b"category: A_vs_B\n" in rendered(content)[0]
    assert b"category: first\ntags: first, second\n" in rendered(content, tags=("first", "second"))[0]


@pytest.mark.parametrize(
    ("content", "where", "kind"),
    [
        (DefinitionContent(preamble="Hello\n# Rules\nx"), "preamble", "heading_escaped"),
        (DefinitionContent(template="Hello\n"), "template", "blanks_trimmed"),
        (DefinitionContent(matching_rules="a &#38; b"), "matching_rules", "reference_escaped"),
        (DefinitionContent(base_id="a\nb"), "base_id", "line_break_escaped"),
        (DefinitionContent(preamble="a\x00b"), "preamble", "character_replaced"),
        (DefinitionContent(preamble="a\ud800b"), "preamble", "character_replaced"),
        (DefinitionContent(dimensions=(Dimension(name="Empty"),)), "dimensions[0]", "dimension_dropped"),
    ],
)
def test_each_kind_of_difference_in_texts_has_its_name(content, where, kind):
    assert kinds(rendered(content, tags=("t",))[1]) == {where: kind}


@pytest.mark.parametrize(
    ("level", "part", "kind"),
    [
        (Level(score=1.5, label="x"), ".score", "score_changed"),
        (Level(score=0, label="x"), "", "level_dropped"),
        (Level(score=1, label=""), ".label", "empty_value"),
        (Level(score=1, label="a|b"), ".label", "separator_escaped"),
        (Level(score=1, label="High Score"), ".label", "header_word_escaped"),
        (Level(score=1, label=" x"), ".label", "edge_blank_escaped"),
        (Level(score=1, label="x", options=("ok", "a, b")), ".options[1]", "separator_escaped"),
        (Level(score=1, label="x", description="why"), ".description", "description_unread"),
    ],
)
def test_each_kind_of_difference_in_levels_has_its_name(level, part, kind):
    content = DefinitionContent(dimensions=(Dimension(name="D", levels=(Level(score=1, label="ok"), level)),))
    _, report = rendered(content, tags=("t",))
    expected = {f"dimensions[0].levels[1]{part}": kind}
    if level.score == 0:
        assert kinds(report) == expected
    else:
        assert kinds(report).items() >= expected.items()
        assert set(kinds(report)) <= {*expected, "dimensions[0].levels"}


def test_text_without_a_reader_is_replaced_and_named_not_fatal():
    data, report = rendered(DefinitionContent(preamble="a\udfff"), name="n\ud800\x00")
    assert "name: n\ufffd\ufffd\n" in data.decode()
    assert kinds(report)["name"] == "character_replaced"


def test_a_megabyte_of_hostile_text_renders_quickly():
    text = "# x\n| a, &#38; \r\n" * 60_000
    data, _ = rendered(DefinitionContent(preamble=text, template=text))
    assert len(data) > 2_000_000


def test_the_format_writes_the_definition_of_its_context_for_its_one_row():
    report = FidelityReport()
    context = {"definition": {"id": "d1", "name": "Best man", "tags": [], "content": to_json(PLAIN)}}
    format_ = DefinitionMarkdown()
    chunks = [format_.head(context), *format_.body(iter([(b"d1",)]), context, report), format_.tail(context)]
    assert b"".join(chunks) == rendered(PLAIN)[0]


@pytest.mark.parametrize("sample", [REALISTIC, HOSTILE], ids=lambda sample: sample.file_name)
def test_the_bytes_stay_as_they_are(sample):
    data, report = rendered(sample.content, name=sample.name, tags=sample.tags)
    assert_golden(f"{sample.file_name}.md", data)
    notes = "".join(f"{note.kind} {note.where}\n" for note in report)
    assert_golden(f"{sample.file_name}.md.fidelity.txt", notes.encode())
