"""Cron patterns, read by the iterator that Dagster's own schedules use.

It is asked for times without a zone only: how Dagster puts them into a zone has limits of its own (clocks that change
at midnight, or by half an hour), so that is done in ``core.slots``.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, dropwhile

from dagster._utils.schedules import cron_string_iterator, is_valid_cron_string
from dagster._vendored.croniter.croniter import CroniterError

from export_pipelines.core.errors import ValidationError

LONGEST = 200
_DRAWN_BY_LOT = re.compile(r"(?<![a-z])[hr](?![a-z])")
"""``H`` and ``R`` stand for a number that each process would draw anew."""
_STEP = re.compile(r"\*/(\d+)")
_HIGHEST = (59, 23, 31, 12, 7)
"""Of each field; a longer step is taken for one whole round, so that ``*/90`` minutes would be every hour."""
_LEAP_DAY = " 29 2 *"


def wall_times(pattern: str, start: datetime) -> Iterator[datetime]:
    """The times that the pattern names, from ``start`` on, both without a zone; a ``core.slots.WallTimes``.

    Raises:
        ValidationError: the pattern cannot be read, or names no time at all.
    """
    text = check_pattern(pattern)
    # Dagster finds a leap day as the day after 28 February, and misses it when it begins to look within that day.
    begin = start - timedelta(days=2) if text.endswith(_LEAP_DAY) else start
    aware = cron_string_iterator(begin.replace(tzinfo=UTC).timestamp(), text, "UTC")
    naive = (moment.replace(tzinfo=None) for moment in aware)
    wanted = dropwhile(lambda moment: moment < start, naive)
    try:
        first = next(wanted)
    except CroniterError as error:
        raise ValidationError(f"cron pattern {pattern!r} names no day that ever comes; correct it.") from error
    return chain([first], wanted)


def check_pattern(pattern: str) -> str:
    """The pattern in lower case with single blanks, when Dagster can read it.

    Raises:
        ValidationError: it cannot.
    """
    text = " ".join(pattern.lower().split())
    if len(text) > LONGEST or not text.isascii() or _DRAWN_BY_LOT.search(text) or not is_valid_cron_string(text):
        raise ValidationError(
            f"cron pattern {pattern[:60]!r} cannot be read; give five fields (minute, hour, day of month, month, "
            "day of week), like '30 2 * * *' for every night at 02:30, or @hourly, @daily, @weekly or @monthly."
        )
    if any(
        int(step) > most for field, most in zip(text.split(), _HIGHEST, strict=False) for step in _STEP.findall(field)
    ):
        raise ValidationError(
            f"cron pattern {pattern!r} has a step that is longer than its field, and would not mean what it says; "
            "correct it."
        )
    return text
