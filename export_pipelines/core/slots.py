"""Slots: the moments at which a schedule is due, from the local times that its cron pattern names."""

import difflib
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from export_pipelines.core.errors import ValidationError

WallTimes = Callable[[str, datetime], Iterator[datetime]]
"""``(pattern, start)``: the times without a zone that a cron pattern names, from ``start`` on, ascending.

Raises :class:`ValidationError` at once when the pattern cannot be read, or names no time at all.
"""

_MINUTE = timedelta(minutes=1)
_MACHINES_OWN = ("localtime", "posixrules")
"""Names in a system's zone folder that mean something else on each machine."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One moment at which a schedule is due; :attr:`local` and :attr:`fold` name it within its schedule.

    Attributes:
        local: what the clock on the wall shows then, without a zone.
        fold: 1 when the clock shows it for the second time.
        at: the moment, UTC.
    """

    local: datetime
    fold: int
    at: datetime


def slots_from(wall_times: WallTimes, *, pattern: str, timezone: str, start: datetime) -> Iterator[Slot]:
    """The slots at ``start`` or later, ascending, each once.

    A local time that comes twice, when clocks are put back, is due once: the second time, as Dagster's own daily
    schedules have it. One that never comes, when clocks are put forward, is due at the next minute that does; when
    that is due itself, or several are moved there, it is one slot.

    Raises:
        ValidationError: the pattern or the zone cannot be read.
    """
    zone = read_zone(timezone)
    before: datetime | None = None
    for wall in wall_times(pattern, _earliest_wall_time(start, zone)):
        local = _that_comes(wall, zone)
        at = local.astimezone(UTC)
        if at >= start and at != before:
            yield Slot(local=local.replace(tzinfo=None, fold=0), fold=local.fold, at=at)
        before = at


def read_zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name.

    Raises:
        ValidationError: there is none; the message names similar ones.
    """
    try:
        if name not in _MACHINES_OWN:
            return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        pass
    known = {zone.lower(): zone for zone in zoneinfo.available_timezones()}
    similar = [known[close] for close in difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.7)]
    hint = f"did you mean {' or '.join(similar)}?" if similar else "give an IANA name like Europe/Berlin or UTC."
    raise ValidationError(f"time zone {name[:60]!r} is unknown; {hint}")


def _earliest_wall_time(start: datetime, zone: ZoneInfo) -> datetime:
    """The first local time that may come at ``start`` or later.

    A minute before: at the moment to which clocks are put forward, the times that they leap over are due too. And in
    an hour that comes twice, from its beginning: what the clock has shown already will come again.
    """
    local = (start - _MINUTE).astimezone(zone)
    first, second = (local.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    return local.replace(tzinfo=None, fold=0) - max(first - second, timedelta())


def _that_comes(wall: datetime, zone: ZoneInfo) -> datetime:
    """The local time itself, or the first one after it that the clocks of the zone show."""
    while not _comes(wall, zone):
        wall += _MINUTE
    last = wall.replace(tzinfo=zone, fold=1)
    return last if last.utcoffset() != last.replace(fold=0).utcoffset() else last.replace(fold=0)


def _comes(wall: datetime, zone: ZoneInfo) -> bool:
    there = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return there.replace(tzinfo=None, fold=0) == wall
