"""What the JSON of a row states, which plain SQL may have written: each value of the kind it has to be, or refused.

Used for jobs and schedules alike, so that one odd row is an error of its own and never of all the others.
"""

from collections.abc import Mapping
from typing import Any

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.quoting import quoted

Stated = Mapping[str, Any]


def text(given: Stated, name: str) -> str | None:
    """A text; None when it is not there, or null.

    Raises:
        ValidationError: it is something else; so for the others.
    """
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise ValidationError(f"{name} is {quoted(value)}, but must be a text.")
    return value


def hours(given: Stated) -> int:
    """``expiry_hours``, 24 when it is not there; in what range is checked with the rest of an order."""
    value = given.get("expiry_hours", 24)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValidationError(f"expiry_hours is {quoted(value)}, but must be a whole number.")
    return value


def object_(given: Stated, name: str) -> Stated:
    """An object; an empty one when it is not there, or null."""
    value = given.get(name)
    if value is not None and not isinstance(value, dict):
        raise ValidationError(f"{name} is {quoted(value)}, but must be an object.")
    return value or {}
