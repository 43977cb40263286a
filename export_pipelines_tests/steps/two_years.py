"""Two years of slots in many time zones, worked out minute by minute with pandas instead of cron and zoneinfo."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

BEGIN, END = pd.Timestamp("2026-01-01T00:00Z"), pd.Timestamp("2028-01-01T00:00Z")
# Clocks that change at midnight, just before it, by half an hour, by two hours, at a quarter to three, back for a month
# of the year, southern ones, some with half or quarter hours, and some that never change.
ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Nuuk",
    "America/Santiago", "America/Havana", "America/Sao_Paulo", "Pacific/Easter", "Asia/Beirut", "Asia/Gaza",
    "Asia/Jerusalem", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "Africa/Cairo", "Africa/Casablanca",
    "Antarctica/Troll", "Atlantic/Azores", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland",
    "Pacific/Chatham", "Pacific/Apia",
)  # fmt: skip


@dataclass(frozen=True)
class Wall:
    """Fields of every minute that a clock could show; arrays of equal length."""

    minute: Any
    hour: Any
    day: Any
    month: Any
    weekday: Any  # Monday is 0


SUNDAYS = {False: "30 2 * 3,10,11 sun", True: "30 0 * 3,10,11 sun"}
"""Few slots, but in the hours in which clocks change: most of them at night, some of them at midnight."""
AT_MIDNIGHT = {"America/Havana", "Asia/Beirut", "Africa/Cairo", "Atlantic/Azores", "America/Santiago"}
Fits = Callable[[Wall], Any]
PATTERNS: dict[str, Fits] = {
    "30 2 * * *": lambda w: (w.hour == 2) & (w.minute == 30),
    "15 0 * * *": lambda w: (w.hour == 0) & (w.minute == 15),
    "59 23 * * *": lambda w: (w.hour == 23) & (w.minute == 59),
    "*/20 0-3 * 3,4,9-11 fri-sun": lambda w: (
        (w.minute % 20 == 0) & (w.hour <= 3) & np.isin(w.month, (3, 4, 9, 10, 11)) & (w.weekday >= 4)
    ),
    "0 12 29 2 *": lambda w: (w.minute == 0) & (w.hour == 12) & (w.month == 2) & (w.day == 29),
    "5 1,2 31,1 * 0": lambda w: (
        (w.minute == 5) & np.isin(w.hour, (1, 2)) & (np.isin(w.day, (31, 1)) | (w.weekday == 6))
    ),
    SUNDAYS[False]: lambda w: (w.hour == 2) & (w.minute == 30) & np.isin(w.month, (3, 10, 11)) & (w.weekday == 6),
    SUNDAYS[True]: lambda w: (w.hour == 0) & (w.minute == 30) & np.isin(w.month, (3, 10, 11)) & (w.weekday == 6),
    "@weekly": lambda w: (w.minute == 0) & (w.hour == 0) & (w.weekday == 6),
}
HOURLY = "45 * * * *"
EVERY_HOUR: Fits = lambda w: w.minute == 45  # noqa: E731

_MARGIN = 2 * 24 * 60


@cache
def _minutes() -> tuple[Any, int, Wall]:
    """All minutes of the two years, the number of the first one a clock could show, and the fields of all of these."""
    utc = pd.date_range(BEGIN, END, freq="min", inclusive="left")
    first = int(BEGIN.timestamp()) // 60 - _MARGIN
    shown = pd.to_datetime(np.arange(first, first + len(utc) + 2 * _MARGIN) * 60, unit="s")
    return utc, first, Wall(shown.minute, shown.hour, shown.day, shown.month, shown.day_of_week)


@cache
def _shown(zone: str) -> Any:
    """What the zone's clock shows in each minute, counted from the first minute that a clock could show."""
    utc, first, _ = _minutes()
    local = utc.tz_convert(zone).tz_localize(None)
    return local.to_numpy().astype("datetime64[m]").astype(np.int64) - first


@cache
def _fitting(pattern: str) -> Any:
    return np.asarray((PATTERNS | {HOURLY: EVERY_HOUR})[pattern](_minutes()[2]))


def expected(zone: str, pattern: str) -> list[pd.Timestamp]:
    """The moments at which the pattern is due in the zone, ascending."""
    utc, _, _ = _minutes()
    shown, fits = _shown(zone), _fitting(pattern)
    due = fits[shown]
    for change in np.flatnonzero(np.diff(shown) != 1):
        before, after = shown[change], shown[change + 1]
        if after > before:
            # Minutes that no clock showed: what fits there is due at the first one that it showed again.
            due[change + 1] |= fits[before + 1 : after].any()
        else:
            # The minutes that are shown again are due the second time.
            first_time = change - (before - after)
            due[first_time : change + 1] = False
    return list(utc[due])
