"""The columns that dimensions get in a table: their names, and each scenario's scores as cells."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from export_pipelines.core.frozen import Context
from export_pipelines.rendering.json_text import encode

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """``SelfDirection`` and ``Self-direction`` as ``self_direction``; letters of every script stay."""
    words = re.sub(r"[\W_]+", "_", _WORD_STARTS.sub("_", name))
    return words.strip("_").lower() or "dimension"


def unique_names(wanted: Iterable[str], *, taken: Iterable[str], numbered: Callable[[str, int], str]) -> list[str]:
    """The wanted names in order, numbered from 2 where they are taken already."""
    used, names = set(taken), []
    for name in wanted:
        candidate, number = name, 1
        while candidate in used:
            number += 1
            candidate = numbered(name, number)
        used.add(candidate)
        names.append(candidate)
    return names


def score_cells(context: Context) -> dict[bytes | None, bytes]:
    """By scenario id: the cells of all dimensions, each with a comma after it; only numbers are scores."""
    names: Sequence[str] = context["dimension_names"]
    scenarios: Mapping[str, Mapping[str, Mapping[str, object]]] = context["scenarios"]
    return {
        id_.encode(): b"".join(_score(facts["dimensions"].get(name)) + b"," for name in names)
        for id_, facts in scenarios.items()
    }


def _score(score: object) -> bytes:
    number = isinstance(score, int | float) and not isinstance(score, bool)
    return encode(score) if number else b""
