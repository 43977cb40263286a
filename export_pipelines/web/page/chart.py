"""A bar chart as numbers: where each bar stands; the template makes SVG of it. No clock, no database."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 720, 190
_LEFT, _TOP, _FOOT = 44, 8, 24
_FLOOR = HEIGHT - _FOOT
_LABELLED = 7
"""Every so many days one has its date under it."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """What one day came to."""

    day: date
    done: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line across the chart, and the number it stands for."""

    y: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One day's bar: the completed below, the failed above; its slot is what a mouse can point at."""

    slot_x: float
    slot_width: float
    x: float
    width: float
    done_y: float
    done_height: float
    failed_y: float
    failed_height: float
    title: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The whole drawing, in units of its view box."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    floor: int = _FLOOR


def draw(days: Sequence[Day]) -> Chart:
    """The chart of these days, one bar each."""
    step, most = scale(max((day.done + day.failed for day in days), default=0))
    a_unit = (_FLOOR - _TOP) / most
    slot = (WIDTH - _LEFT) / max(1, len(days))
    lines = [Line(y=round(_FLOOR - value * a_unit, 1), label=str(value)) for value in range(0, most + 1, step)]
    # Counted from the last day, which so always has its date.
    bars = [
        _bar(day, slot=slot, place=place, a_unit=a_unit, labelled=(len(days) - 1 - place) % _LABELLED == 0)
        for place, day in enumerate(days)
    ]
    return Chart(bars=tuple(bars), lines=tuple(lines))


def scale(most: int) -> tuple[int, int]:
    """Between lines, and at the top: 1, 2 or 5 of some power of ten, with four lines above zero at most."""
    if most <= 0:
        return 1, 1
    power = 10 ** math.floor(math.log10(max(1, most / 4)))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * 4 >= most)
    return step, math.ceil(most / step) * step


def _bar(day: Day, *, slot: float, place: int, a_unit: float, labelled: bool) -> Bar:
    left, gap = _LEFT + place * slot, slot * 0.18
    done, failed = day.done * a_unit, day.failed * a_unit
    date_ = f"{day.day.day} {day.day:%b}"
    return Bar(
        slot_x=round(left, 1),
        slot_width=round(slot, 1),
        x=round(left + gap, 1),
        width=round(slot - 2 * gap, 1),
        done_y=round(_FLOOR - done, 1),
        done_height=round(done, 1),
        failed_y=round(_FLOOR - done - failed, 1),
        failed_height=round(failed, 1),
        title=f"{date_}: {day.done} completed, {day.failed} failed",
        label=date_ if labelled else "",
    )
