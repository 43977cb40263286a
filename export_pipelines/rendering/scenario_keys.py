"""The keys that scenarios stand under in YAML.

The analysis step reads variables out of ``scenario_<digits>_<Word><int>_<Word><int>...``, so scenarios with numeric
scores get a key of that form. Keys depend on the set of scenarios and on nothing else, not even on its order.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from string import ascii_uppercase
from typing import Any

from export_pipelines.core.names import is_scenario_key, key_number, key_variables, yaml_key

DEFAULT_NUMBER = "001"


def scenario_keys(
    scenarios: Sequence[Mapping[str, Any]], *, dimensions: Sequence[str] = (), number: str = DEFAULT_NUMBER
) -> dict[str, str]:
    """A key of its own for each scenario, by id.

    Args:
        scenarios: ``id``, ``name`` and ``dimensions`` (scores by name) of every scenario in the file.
        dimensions: the definition's dimension names; words in made-up keys follow their order.
        number: the digits of made-up keys whose scenario's name brings none.
    """
    words = dimension_words(scenarios, dimensions)
    wanted = {scenario["id"]: _wanted(scenario, words, number) for scenario in scenarios}
    names = {scenario["id"]: scenario["name"] for scenario in scenarios}
    # Whoever is named exactly like the key keeps it; that a name merely resembles it must not take it away.
    order = sorted(wanted, key=lambda scenario: (names[scenario] != wanted[scenario], scenario))
    return dict(zip(order, _told_apart([wanted[scenario] for scenario in order]), strict=True))


def _told_apart(keys: Sequence[str]) -> Iterator[str]:
    """The keys, each that came before replaced by a numbered one that nobody has or wants."""
    unavailable = set(keys)
    others: dict[str, Iterator[str]] = {}
    for key in keys:
        if key not in others:
            others[key] = _numbered(key)
            yield key
            continue
        other = next(candidate for candidate in others[key] if candidate not in unavailable)
        unavailable.add(other)
        yield other


def dimension_words(scenarios: Iterable[Mapping[str, Any]], dimensions: Sequence[str]) -> dict[str, str]:
    """One word of ASCII letters for every dimension, no two alike, the definition's dimensions first."""
    met = {name for scenario in scenarios for name in scenario["dimensions"]}
    words: dict[str, str] = {}
    taken: set[str] = set()
    for name in [*dict.fromkeys(dimensions), *sorted(met.difference(dimensions))]:
        word = _letters_of(name)
        candidates = (word + tail for tail in _tails(bare=bool(word)))
        words[name] = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(words[name])
    return words


def whole(score: object) -> int | None:
    """The score as a key can hold it, None when it is no whole number."""
    if isinstance(score, int):
        return score
    return int(score) if isinstance(score, float) and score.is_integer() else None


def _wanted(scenario: Mapping[str, Any], words: Mapping[str, str], number: str) -> str:
    key = yaml_key(scenario["name"])
    scores = {name: whole(score) for name, score in scenario["dimensions"].items()}
    variables = {word: scores[name] for name, word in words.items() if scores.get(name) is not None}
    if variables and is_scenario_key(scenario["name"]):
        # A minus is in the form, though in no other key.
        return str(scenario["name"])
    if not variables or is_scenario_key(key) or key_variables(key) in (scores, variables):
        return key
    tail = "".join(f"_{word}{score}" for word, score in variables.items())
    return f"scenario_{key_number(key) or number}{tail}"


def _numbered(key: str) -> Iterator[str]:
    """Other keys for the same scenario: the digits grow where the form has to stay, else a number follows."""
    digits = key_number(key) if is_scenario_key(key) else None
    for number in count(2):
        if digits is None:
            yield f"{key}_{number}"
        else:
            yield f"scenario_{digits}{number:02d}{key.removeprefix(f'scenario_{digits}')}"


def _letters_of(name: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", name) if char.isascii() and char.isalpha())


def _tails(*, bare: bool) -> Iterator[str]:
    """Nothing first where there is a word already, then A, B, ... (``DimensionA`` where there is none), AA, ..."""
    if bare:
        yield ""
    start = "" if bare else "Dimension"
    for length in count(1):
        yield from (f"{start}{'A' * (length - 1)}{letter}" for letter in ascii_uppercase)
