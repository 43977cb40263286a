"""Scores as a table of the definition's Markdown file writes them, and how they are read back."""

import math
import re
from decimal import Decimal

# 4 300 digits is where Python stops turning text into an integer.
_WHOLE = re.compile(r"-?[0-9]{1,4300}")
_FRACTION = re.compile(r"-?[0-9]{1,400}\\\.[0-9]{1,400}")


def write_score(score: int | float) -> str:
    r"""The score as a cell: whole numbers as they are, others with a backslash before the point.

    ``1.5`` becomes ``1\.5``: a reader that takes whole numbers only sees the 1 in it, Markdown shows the number, and
    a fraction that somebody wrote by mistake cannot be taken for one that was exported.
    """
    if isinstance(score, int):
        return str(score)
    if not math.isfinite(score):
        return repr(score)
    if score == int(score):
        return str(int(score))
    return format(Decimal(repr(score)), "f").replace(".", "\\.")


def read_score(cell: str) -> int | float | None:
    """The score in a cell, None when it is neither a whole number nor an exported fraction."""
    if _WHOLE.fullmatch(cell):
        return int(cell)
    if _FRACTION.fullmatch(cell):
        return float(cell.replace("\\", ""))
    return None


def read_by_others(score: int | float) -> float:
    """What a reader that stops at the first character that is no digit makes of :func:`write_score`; below 1 drops it.

    Its numbers are ECMAScript's: whole numbers beyond 2^53 lose digits, and beyond about 10^308 are infinite.
    """
    if not isinstance(score, int):
        return float(math.trunc(score)) if math.isfinite(score) else 0
    try:
        return float(score)
    except OverflowError:
        return math.inf if score > 0 else -math.inf
