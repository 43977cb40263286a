"""Positions in the audit log as people write them: ``1-2000``."""

import re

from export_pipelines.core.errors import ValidationError

_POSITIONS = re.compile(r"([1-9][0-9]{0,17})?-([1-9][0-9]{0,17})?")


def read_positions(text: str, *, end: int | None = None) -> tuple[int, int]:
    """First and last position; ``5-`` goes to the end, ``-7`` and nothing begin with 1.

    Args:
        text: what somebody wrote.
        end: the last position there is; None where both must be written out.

    Raises:
        ValidationError: it cannot be read, or there are no such positions.
    """
    match = _POSITIONS.fullmatch(text.strip() or "-")
    first = int(match[1] or 1) if match else 0
    last = int(match[2] or end or 0) if match else 0
    if not 1 <= first <= last or (end is not None and last > end):
        reach = f"; the log ends at position {end}" if end else "; the log has no rows yet" if end == 0 else ""
        raise ValidationError(f"positions are {text.strip()!r}, but must be like 1-2000, or 1001- for the rest{reach}.")
    return first, last
