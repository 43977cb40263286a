"""DEFINITION_MD: a definition as the Markdown file that the command-line tools read.

The layout is fixed by those tools: three lines of frontmatter that are not YAML, then level-1 sections. What the layout
cannot hold plainly is escaped (:mod:`export_pipelines.core.markdown_escapes`) or stands where the tools do not look (a
fourth column for descriptions, ``tags`` and ``verbatim`` lines in the frontmatter, each only when needed), so that our
importer reads back exactly what was written; the fidelity report names every value that the tools read otherwise.
"""

from collections.abc import Iterator, Sequence

from export_pipelines.core.definitions import DefinitionContent, category_of, resolve, tags_of_category
from export_pipelines.core.fidelity import FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.core.markdown_escapes import BLANKS, VALUE, VALUE_OF_LIST
from export_pipelines.core.names import base_id_of
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.dimension_tables import keeps_order, table
from export_pipelines.rendering.markdown_fidelity import Escaper


class DefinitionMarkdown:
    """The format of DEFINITION_MD; the definition comes from ``context["definition"]``, its one row is only counted."""

    def head(self, context: Context) -> bytes:
        """Nothing: the one record is the whole file."""
        return b""

    def head_notes(self, context: Context) -> tuple[FidelityNote, ...]:
        """Nothing is lost there."""
        return ()

    def body(self, rows: Iterator[Row], context: Context, report: FidelityReport) -> Iterator[bytes]:
        """The file."""
        definition = context["definition"]
        for _ in rows:
            content = resolve([(definition["id"], definition["content"])])
            yield render(name=definition["name"], tags=definition["tags"], content=content, report=report)

    def tail(self, context: Context) -> bytes:
        """Nothing."""
        return b""


def render(*, name: str, tags: Sequence[str], content: DefinitionContent, report: FidelityReport) -> bytes:
    """The file of one definition.

    Args:
        name: the definition's name.
        tags: their names, the one that gives the category first.
        content: resolved content.
        report: takes every value that the command-line tools would not read back exactly.
    """
    escape = Escaper(report)
    front = _frontmatter(name, tags, content, escape)
    verbatim: list[str] = []
    sections = [
        _section("Preamble", _text("preamble", content.preamble, escape, verbatim)),
        _section("Template", _text("template", content.template, escape, verbatim)),
        _dimensions(content, escape, verbatim),
    ]
    if content.matching_rules:
        rules = _text("matching_rules", content.matching_rules, escape, verbatim)
        sections.append(_section("Matching Rules", rules))
    if verbatim:
        front.append(f"verbatim: {', '.join(verbatim)}")
    return "\n".join(["---", *front, "---", "", *sections]).encode()


def _frontmatter(name: str, tags: Sequence[str], content: DefinitionContent, escape: Escaper) -> list[str]:
    base_id = base_id_of(name) if content.base_id is None else content.base_id
    category = category_of(tags, content)
    lines = [
        f"name: {escape.cell('name', name, VALUE)}",
        f"base_id: {escape.cell('base_id', base_id, VALUE)}",
        # An empty category is what readers assume where none stands.
        f"category: {escape.cell('category', category, VALUE)}" if category else "category:",
    ]
    if tuple(tags) != tags_of_category(category, content):
        written = (VALUE_OF_LIST.escape(tag).text for tag in tags)
        lines.append(f"tags: {', '.join(written)}")
    return lines


def _text(where: str, text: str, escape: Escaper, verbatim: list[str]) -> str:
    written = escape.text(where, text)
    if written != written.strip(BLANKS):
        verbatim.append(where)
    return written


def _section(title: str, text: str) -> str:
    """A section; exactly one line is blank on either side of its text."""
    return f"# {title}\n\n{text}\n"


def _dimensions(content: DefinitionContent, escape: Escaper, verbatim: list[str]) -> str:
    blocks = ["# Dimensions\n"]
    for index, dimension in enumerate(content.dimensions):
        where = f"dimensions[{index}]"
        blocks.append(table(dimension, where, escape))
        if not keeps_order(dimension):
            verbatim.append(f"{where}.levels")
    return "\n".join(blocks)
