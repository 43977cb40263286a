"""Definitions from Markdown: ours come back exactly, hand-written ones by the tools' rules, mistakes by line."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given

from export_pipelines.core.definitions import DefinitionContent, Dimension, Level
from export_pipelines.core.errors import ImportFileError
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.names import base_id_of
from export_pipelines.parsing.definition_markdown import LIMIT, parse
from export_pipelines.rendering.definition_markdown import render
from export_pipelines_tests.definition_contents import CONTENTS, TAGS, TEXT
from export_pipelines_tests.rendering.definition_samples import HOSTILE, REALISTIC

HAND_WRITTEN = """---
name: exp-009.building "planning"
base_id: scenario_009
category: Economics_vs_Environment
author: somebody
a line that says nothing
---

# Preamble

Instructions for the model.


# Template

A [size] building.
  # indented is text

# Dimensions

Prose that nobody reads.

## Size

| Score | Label | Options |
|-------|:-----:|---------|
| 2 | Large |a tower,  a mall ,|
  1 | Small | a hut
| 3 | Huge | |
"""


def exported(name, tags, content):
    return render(name=name, tags=tags, content=content, report=FidelityReport())


def normal(name: str, content: DefinitionContent) -> DefinitionContent:
    """A base id that follows from the name is not stored: the file cannot tell whether it was."""
    return replace(content, base_id=None) if content.base_id == base_id_of(name) else content


@given(TEXT, TAGS, CONTENTS)
def test_what_was_exported_comes_back_exactly(name, tags, content):
    imported = parse(exported(name, tags, content))
    assert imported.name == name
    assert imported.base_id == (base_id_of(name) if content.base_id is None else content.base_id)
    assert imported.content == normal(name, content)


@given(TEXT, TAGS, CONTENTS)
def test_export_import_export_gives_the_same_bytes(name, tags, content):
    first = exported(name, tags, content)
    imported = parse(first)
    assert exported(imported.name, imported.tags, imported.content) == first


@given(TEXT, TAGS, CONTENTS)
def test_tags_come_back_unless_the_category_says_the_same_without_them(name, tags, content):
    imported = parse(exported(name, tags, content))
    derived = "_vs_".join(dimension.name for dimension in content.dimensions)
    assert imported.category == (tags[0] if tags else derived)
    assert imported.tags == tuple(tags)


@pytest.mark.parametrize("sample", [REALISTIC, HOSTILE], ids=lambda sample: sample.file_name)
def test_the_samples_come_back_exactly(sample):
    imported = parse(exported(sample.name, sample.tags, sample.content))
    assert (imported.name, imported.tags, imported.content) == (sample.name, sample.tags, sample.content)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_hand_written_file_is_read_by_the_tools_rules(ending, mark):
    imported = parse((mark + HAND_WRITTEN).replace("\n", ending).encode())
    assert imported.name == 'exp-009.building "planning"'
    assert imported.base_id == "scenario_009"
    assert imported.category == "Economics_vs_Environment"
    assert imported.tags == ("Economics_vs_Environment",)
    assert imported.content == DefinitionContent(
        preamble="Instructions for the model.",
        template="A [size] building.\n  # indented is text",
        dimensions=(
            Dimension(
                name="Size",
                levels=(
                    Level(score=1, label="Small", options=("a hut",)),
                    Level(score=2, label="Large", options=("a tower", "a mall")),
                    Level(score=3, label="Huge"),
                ),
            ),
        ),
        base_id="scenario_009",
    )


def test_a_file_without_base_id_and_category_takes_both_from_the_rest():
    text = HAND_WRITTEN.replace("base_id: scenario_009\n", "").replace("category: Economics_vs_Environment\n", "")
    imported = parse(text.encode())
    assert (imported.base_id, imported.category) == ("scenario_exp_009_building__pl", "")
    assert (imported.tags, imported.content.base_id) == ((), None)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("---\nname", "name", 1, "begin with frontmatter"),
        ("nothing\n---", "nothing", 29, "no closing line"),
        ('name: exp-009.building "planning"\n', "", 1, "no name"),
        ("author", "name", 5, "name stands in the frontmatter twice"),
        ("# Preamble", "Preamble", 9, "before the first section"),
        ("# Template", "# Templates", 14, "no section 'templates'"),
        ("# Template", "# Preamble", 14, "'preamble' is there twice"),
        ("# Template\n", "\n", 30, "'# Template' is missing"),
        ("## Size\n", "\n", 25, "needs a heading above it"),
        ("## Size\n", "##\n", 23, "no name"),
        ("## Size\n", "##Size\n", 23, "needs a blank"),
        ("| Score | Label | Options |\n", "", 25, "begins with the row"),
        ("| Options |", "| Choices |", 25, "have to be Score, Label, Options"),
        ("| 3 | Huge | |", "| 3 | Huge | a | b |", 29, "4 cells in place of 3"),
        ("| 3 | Huge | |", "| 3 | Huge |", 29, "2 cells in place of 3"),
        ("| 3 | Huge | |", "| 3 | | a |", 29, "no label"),
        ("| 3 |", "| 2.5 |", 29, "'2.5' is not a whole number"),
        ("| 3 |", "| high |", 29, "'high' is not a whole number"),
        ("| 3 |", f"| {'9' * 5000} |", 29, "is not a whole number"),
        ("| 3 | Huge | |", "| Score | Label | Options |", 29, "a second table"),
        ("Instructions", "In\x00structions", 11, "NUL"),
    ],
)
def test_every_mistake_is_named_with_its_line(old, new, line, reason):
    assert old in HAND_WRITTEN
    with pytest.raises(ImportFileError, match=reason) as caught:
        parse(HAND_WRITTEN.replace(old, new, 1).encode())
    assert caught.value.line == line


def test_a_dimension_without_a_table_is_named():
    with pytest.raises(ImportFileError, match="line 31: dimension 'Lonely' has no table"):
        parse((HAND_WRITTEN + "\n## Lonely\n").encode())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"---\nname: caf\xe9\n", "line 2: byte 0xe9 is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8"),
        (b"x" * (LIMIT + 1), "limit"),
        (b"---\nname: x\n---\n", "'# Preamble' is missing"),
    ],
)
def test_files_that_are_no_definition_are_refused(data, reason):
    with pytest.raises(ImportFileError, match=reason):
        parse(data)


@given(TEXT)
def test_no_text_at_all_makes_anything_but_a_clear_error(text):
    for data in (text.encode(), b"---\nname: x\n---\n" + text.encode(), HAND_WRITTEN.encode() + text.encode()):
        with suppress(ImportFileError):
            parse(data)
