"""Text that compresses and breaks like people's: words nobody knows, a few of them everywhere, most of them seldom."""

import random
from collections.abc import Sequence
from itertools import accumulate

WORDS = 3_000
SENTENCES = 200_000
"""Some 15 MB: a compressor's window, or a page of the database, hardly ever holds the same sentence twice."""

_ONSETS = (*"bcdfghjklmnprstvw", "br", "cl", "dr", "fl", "gr", "pl", "sh", "sp", "st", "str", "th", "tr", "wh", "", "")
_VOWELS = (*"aeiou", "ea", "ee", "ai", "ou")
_CODAS = ("", "", "", *"nrstldm", "nd", "st", "ng", "ck")
# What CSV has to quote and JSON to escape, and characters outside ASCII, as often as in people's answers.
_ENDINGS = (*[". "] * 12, *["? "] * 2, ".\n\n", ".\n- ", ', "so".\n\n', " – 1,5 €.\n")
_STEEPNESS = 1.3
"""Exponent of Zipf's law; chosen so that one answer deflates about as well as English prose with some markup."""


def sentences(rng: random.Random, number: int = SENTENCES) -> Sequence[str]:
    """Different sentences of 6 to 18 words each, a blank or a line end behind each."""
    words = _vocabulary(rng)
    frequencies = list(accumulate(1 / (rank + 2.7) ** _STEEPNESS for rank in range(len(words))))
    lengths = [rng.randint(6, 18) for _ in range(number)]
    drawn = iter(rng.choices(words, cum_weights=frequencies, k=sum(lengths)))
    return [_sentence([next(drawn) for _ in range(length)], rng) for length in lengths]


def _sentence(words: list[str], rng: random.Random) -> str:
    return " ".join(words).capitalize() + rng.choice(_ENDINGS)


def _vocabulary(rng: random.Random) -> list[str]:
    """Words in order of frequency, the frequent ones short."""
    words: dict[str, None] = {}
    while len(words) < WORDS:
        syllables = 1 if len(words) < 60 else rng.choice((1, 2, 2, 2, 3, 3, 4))
        words["".join(map(rng.choice, (_ONSETS, _VOWELS, _CODAS) * syllables))] = None
    return list(words)
