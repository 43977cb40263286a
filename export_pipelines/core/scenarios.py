"""Scenarios: one concrete prompt each, made from a definition's template at given dimension scores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from export_pipelines.core.errors import ContentError

KNOWN_VERSIONS = (0, 1)


@dataclass(frozen=True, kw_only=True)
class ScenarioContent:
    """What a scenario's ``content`` holds.

    Attributes:
        prompt: the full text put to the model.
        dimensions: score by dimension name; numbers in all newer rows, words in some old ones.
        preamble: text before the prompt, None when the definition's applies.
        subject, category, base_id: kept from an import, None when they are to be derived.
    """

    prompt: str
    dimensions: Mapping[str, int | float | str] = field(default_factory=dict)
    preamble: str | None = None
    subject: str | None = None
    category: str | None = None
    base_id: str | None = None

    def numeric_dimensions(self) -> dict[str, int | float]:
        """The dimensions whose score is a number, in stored order."""
        return {name: score for name, score in self.dimensions.items() if not isinstance(score, str)}


def read(content: Mapping[str, Any], *, where: str) -> ScenarioContent:
    """The stored content of a scenario as a record.

    Args:
        content: versions 0 (no ``schema_version``) and 1: ``prompt``, ``dimensions`` and the optional texts.
        where: names the row in errors, like ``scenario c123``.

    Raises:
        ContentError: unknown version or wrong shape.
    """
    version = content.get("schema_version", 0)
    if isinstance(version, bool) or version not in KNOWN_VERSIONS:
        raise ContentError(f"{where} has content of schema_version {version!r}; known are 0 and 1. Correct the row.")
    prompt = content.get("prompt", content.get("body"))
    if not isinstance(prompt, str):
        raise ContentError(f"{where} has no prompt text; correct the row or generate the scenarios again.")
    dimensions = content.get("dimensions") or {}
    if not isinstance(dimensions, Mapping) or not all(_is_score(score) for score in dimensions.values()):
        raise ContentError(f"{where} has dimensions that are not numbers or text by name; correct the row.")
    return ScenarioContent(
        prompt=prompt,
        dimensions=dict(dimensions),
        **{name: _optional_text(content, name, where) for name in ("preamble", "subject", "category", "base_id")},
    )


def to_json(content: ScenarioContent) -> dict[str, Any]:
    """The record as stored content of version 1; ``read`` reads it back equal."""
    stored: dict[str, Any] = {"schema_version": 1, "prompt": content.prompt, "dimensions": dict(content.dimensions)}
    for name in ("preamble", "subject", "category", "base_id"):
        value = getattr(content, name)
        if value is not None:
            stored[name] = value
    return stored


def _is_score(score: object) -> bool:
    return isinstance(score, int | float | str) and not isinstance(score, bool)


def _optional_text(content: Mapping[str, Any], name: str, where: str) -> str | None:
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise ContentError(f"{where} has a {name} that is not text; correct the row.")
    return value
