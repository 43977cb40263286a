"""The stories that the data files tell: definitions with their parents, and scenarios filled in from templates."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import yaml

from export_pipelines.core.definitions import DefinitionContent, Dimension, resolve
from export_pipelines.db.seed.draw import fixed_id, fixed_timed_id

FAMILIES = ("courtyard", "orchard", "clinic", "flood")


@dataclass(frozen=True, kw_only=True)
class Story:
    """A scenario that is about to be put to models.

    Attributes:
        definition: key of its definition.
        place: each dimension's place among its levels, from 0 (lowest) to 1 (highest).
        phrases: each dimension's words at its score.
        answers: for scenarios written by hand, one answer for each model; else empty.
    """

    definition: str
    number: int
    name: str
    content: Mapping[str, Any]
    prompt: str
    dimensions: Mapping[str, int | float | str]
    place: Mapping[str, int]
    phrases: Mapping[str, str]
    created_at: datetime
    deleted_at: datetime | None = None
    answers: Sequence[Mapping[str, Any]] = ()

    @property
    def id(self) -> str:
        """The scenario's id; within a definition ids ascend with the number."""
        made = self.created_at + timedelta(milliseconds=self.number)
        return fixed_timed_id("scenario", f"{self.definition}/{self.name}", made)


def read_data(name: str) -> dict[str, Any]:
    """The parsed data file ``data/<name>.yaml`` of this package."""
    text = resources.files(__package__).joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return loaded


def read_families() -> dict[str, Any]:
    """Every family's data by its name."""
    return {name: read_data(name) for name in FAMILIES}


def definitions_of(families: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The definitions of all families by key, parents before children."""
    return {item["key"]: item for family in families.values() for item in family["definitions"]}


def resolved(definitions: Mapping[str, Mapping[str, Any]], key: str) -> DefinitionContent:
    """A definition's content with what it inherits."""
    chain = []
    at: str | None = key
    while at is not None:
        chain.append((fixed_id("definition", at), definitions[at]["content"]))
        at = definitions[at].get("parent")
    return resolve(chain)


def stories_of(families: Mapping[str, Any]) -> Iterator[Story]:
    """Every scenario of every family, then those written by hand in other languages."""
    definitions = definitions_of(families)
    for family in families.values():
        for entry in family["scenarios"]:
            yield from _from_grid(entry, resolved(definitions, entry["definition"]))
    yield from _by_hand(read_data("languages")["scenarios"])


def _from_grid(entry: Mapping[str, Any], content: DefinitionContent) -> Iterator[Story]:
    dimensions = {dimension.name: dimension for dimension in content.dimensions}
    combinations = itertools.product(*entry["grid"].values())
    for number, scores in enumerate(combinations, start=entry["first_number"]):
        yield _fill(entry, content, dimensions, number, dict(zip(entry["grid"], scores, strict=True)))


def _fill(
    entry: Mapping[str, Any],
    content: DefinitionContent,
    dimensions: Mapping[str, Dimension],
    number: int,
    scores: Mapping[str, int | str],
) -> Story:
    places = {name: _place(dimensions[name], score) for name, score in scores.items()}
    phrases = {name: _phrase(dimensions[name], place) for name, place in places.items()}
    prompt = content.template
    for name, phrase in phrases.items():
        prompt = prompt.replace(f"[{name}]", phrase)
    marks = "_".join(f"{name}{places[name] + 1 if isinstance(score, str) else score}" for name, score in scores.items())
    subject = entry["subject"] + " - " + ", ".join(f"{name} {score}" for name, score in scores.items())
    if entry.get("legacy_content"):
        stored: dict[str, Any] = {"body": prompt, "dimensions": dict(scores)}
    else:
        stored = {"schema_version": 1, "prompt": prompt, "dimensions": dict(scores), "subject": subject}
    return Story(
        definition=entry["definition"],
        number=number,
        name=f"scenario_{number:03}_{marks}",
        content=stored,
        prompt=prompt,
        dimensions=dict(scores),
        place=places,
        phrases=phrases,
        created_at=entry["created_at"],
        deleted_at=entry["deleted_at"] if number in entry.get("deleted_numbers", ()) else None,
    )


def _by_hand(entries: Sequence[Mapping[str, Any]]) -> Iterator[Story]:
    for number, entry in enumerate(entries, start=10):
        texts = {name: entry[name] for name in ("prompt", "dimensions", "subject")}
        yield Story(
            definition="courtyard-languages",
            number=number,
            name=entry["name"],
            content={"schema_version": 1, **texts},
            prompt=entry["prompt"],
            dimensions=entry["dimensions"],
            place={},
            phrases={},
            created_at=entry["created_at"],
            answers=entry["answers"],
        )


def _place(dimension: Dimension, score: int | str) -> int:
    """Where the score stands among the levels; a score in words is a label."""
    return next(index for index, level in enumerate(dimension.levels) if score in (level.score, level.label))


def _phrase(dimension: Dimension, place: int) -> str:
    level = dimension.levels[place]
    return level.options[0] if level.options else level.label
