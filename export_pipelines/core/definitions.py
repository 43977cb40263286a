"""Definitions: versioned JSON content, read into one record, inheritance resolved.

The rules are section 5 of the command-line tools' format notes: version 0 has no ``schema_version``, 1 has all fields,
2 is sparse and inherits field by field from its parents. An unknown version is an error, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from export_pipelines.core.errors import ContentError

KNOWN_VERSIONS = (0, 1, 2)
CURRENT_VERSION = 2
FIELDS = ("preamble", "template", "dimensions", "matching_rules", "base_id")


@dataclass(frozen=True, kw_only=True)
class Level:
    """One score of a dimension."""

    score: int | float
    label: str
    options: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A variable of the template, with its levels in stored order."""

    name: str
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DefinitionContent:
    """A definition with every field present."""

    preamble: str = ""
    template: str = ""
    dimensions: tuple[Dimension, ...] = ()
    matching_rules: str = ""
    base_id: str | None = None


def content_version(content: Mapping[str, Any], *, where: str) -> int:
    """The content's version, 0 when it states none.

    Raises:
        ContentError: the version is not one we know; ``where`` names the row.
    """
    version = content.get("schema_version", 0)
    if isinstance(version, bool) or version not in KNOWN_VERSIONS:
        raise ContentError(
            f"{where} has content of schema_version {version!r}; known are {', '.join(map(str, KNOWN_VERSIONS))}. "
            "Update export-pipelines, or correct the row."
        )
    return int(version)


def resolve(chain: Sequence[tuple[str, Mapping[str, Any]]]) -> DefinitionContent:
    """The content of ``chain[0]`` with what it leaves open taken from its parents, nearest first.

    Args:
        chain: ``(definition id, stored content)`` from the definition itself up to its root.

    Raises:
        ContentError: a row's content has an unknown version or a wrong shape.
    """
    found: dict[str, Any] = {}
    for definition_id, content in chain:
        where = f"definition {definition_id}"
        sparse = content_version(content, where=where) == CURRENT_VERSION
        for name in FIELDS:
            if name not in found and content.get(name) is not None:
                found[name] = _read_field(name, content[name], where)
        if not sparse:
            break
    return DefinitionContent(**found)


def category_of(tags: Sequence[str], content: DefinitionContent) -> str:
    """What files state as the category: the first tag, else the names of the dimensions."""
    return tags[0] if tags else "_vs_".join(dimension.name for dimension in content.dimensions)


def tags_of_category(category: str, content: DefinitionContent) -> tuple[str, ...]:
    """The tags that a file with this category means when it lists none: none, or the category itself."""
    return () if category in ("", category_of((), content)) else (category,)


def to_json(content: DefinitionContent) -> dict[str, Any]:
    """The record as stored content of the current version; ``resolve`` reads it back equal."""
    stored: dict[str, Any] = {
        "schema_version": CURRENT_VERSION,
        "preamble": content.preamble,
        "template": content.template,
        "dimensions": [_dimension_json(dimension) for dimension in content.dimensions],
        "matching_rules": content.matching_rules,
    }
    if content.base_id is not None:
        stored["base_id"] = content.base_id
    return stored


def _dimension_json(dimension: Dimension) -> dict[str, Any]:
    levels = []
    for level in dimension.levels:
        stored: dict[str, Any] = {"score": level.score, "label": level.label, "options": list(level.options)}
        if level.description is not None:
            stored["description"] = level.description
        levels.append(stored)
    return {"name": dimension.name, "levels": levels}


def _read_field(name: str, value: object, where: str) -> object:
    if name == "dimensions":
        return tuple(_read_dimension(item, f"{where}, dimensions[{index}]") for index, item in _items(value, where))
    return _text(value, f"{where}, {name}")


def _read_dimension(item: object, where: str) -> Dimension:
    if not isinstance(item, Mapping):
        raise _wrong(where, "an object with name and levels", item)
    name = _text(item.get("name"), f"{where}.name")
    if "levels" not in item:
        # Legacy: plain strings; they become scores 1..n labelled with the value itself.
        values = [_text(value, f"{where}.values[{index}]") for index, value in _items(item.get("values", []), where)]
        return Dimension(
            name=name, levels=tuple(Level(score=score, label=value) for score, value in enumerate(values, start=1))
        )
    levels = _items(item["levels"], f"{where}.levels")
    return Dimension(name=name, levels=tuple(_read_level(level, f"{where}.levels[{index}]") for index, level in levels))


def _read_level(item: object, where: str) -> Level:
    if not isinstance(item, Mapping):
        raise _wrong(where, "an object with score and label", item)
    score = item.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise _wrong(f"{where}.score", "a number", score)
    options = tuple(_text(option, f"{where}.options") for _, option in _items(item.get("options") or [], where))
    description = item.get("description")
    return Level(
        score=score,
        label=_text(item.get("label", ""), f"{where}.label"),
        options=options,
        description=None if description is None else _text(description, f"{where}.description"),
    )


def _items(value: object, where: str) -> list[tuple[int, object]]:
    if not isinstance(value, list | tuple):
        raise _wrong(where, "a list", value)
    return list(enumerate(value))


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, "text", value)
    return value


def _wrong(where: str, expected: str, value: object) -> ContentError:
    return ContentError(f"{where} should be {expected}, but is {type(value).__name__}; correct the stored content.")
