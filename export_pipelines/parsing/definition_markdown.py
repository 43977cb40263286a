"""A definition from a Markdown file: ours exactly, and hand-written ones by the rules of the command-line tools.

Where those tools pass silently over something that somebody meant to say (a row they cannot read, a section they do not
know), this reader names the line instead; a file is read as a whole or not at all.
"""

from collections.abc import Mapping

from export_pipelines.core.definitions import DefinitionContent, tags_of_category
from export_pipelines.core.errors import ImportFileError
from export_pipelines.core.imports import ImportedDefinition
from export_pipelines.core.markdown_escapes import BLANKS, unescape_cell
from export_pipelines.core.names import base_id_of
from export_pipelines.parsing import dimension_tables
from export_pipelines.parsing.decoding import decode
from export_pipelines.parsing.markdown_sections import FrontValue, Section, split

LIMIT = 10 * 1024 * 1024


def parse(data: bytes) -> ImportedDefinition:
    """The definition in the file.

    Raises:
        ImportFileError: what is wrong and in which line; the file is larger than 10 MiB or not UTF-8.
    """
    front, sections = split(decode(data, limit=LIMIT))
    name = _front_value(front, "name")
    if name is None:
        raise ImportFileError("the frontmatter has no name; add a line like name: Best man.", line=1)
    derived = base_id_of(name)
    stated = _front_value(front, "base_id")
    base_id = derived if stated is None else stated
    content = _content(sections, _words(front, "verbatim"), base_id=None if base_id == derived else base_id)
    category = _front_value(front, "category") or ""
    return ImportedDefinition(
        name=name,
        base_id=base_id,
        category=category,
        tags=_tags(front, category, content),
        content=content,
    )


def _content(sections: Mapping[str, Section], verbatim: frozenset[str], *, base_id: str | None) -> DefinitionContent:
    rules = sections.get("matching rules")
    return DefinitionContent(
        preamble=sections["preamble"].text(verbatim="preamble" in verbatim),
        template=sections["template"].text(verbatim="template" in verbatim),
        dimensions=dimension_tables.read(sections["dimensions"], verbatim=verbatim),
        matching_rules=rules.text(verbatim="matching_rules" in verbatim) if rules else "",
        base_id=base_id,
    )


def _tags(front: Mapping[str, FrontValue], category: str, content: DefinitionContent) -> tuple[str, ...]:
    listed = front.get("tags")
    if listed is None:
        return tags_of_category(category, content)
    return tuple(unescape_cell(tag) for word in listed.text.split(",") if (tag := word.strip(BLANKS)))


def _words(front: Mapping[str, FrontValue], key: str) -> frozenset[str]:
    listed = front.get(key)
    return frozenset(word.strip() for word in listed.text.split(",")) if listed else frozenset()


def _front_value(front: Mapping[str, FrontValue], key: str) -> str | None:
    value = front.get(key)
    return unescape_cell(value.text) if value and value.text else None
