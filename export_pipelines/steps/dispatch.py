"""Dispatch: turn the slots that are due into export jobs, each slot into one, whatever restarts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from export_pipelines.core.errors import RequestError, ValidationError
from export_pipelines.core.schedules import MissedSlots, Schedule
from export_pipelines.core.slots import Slot, WallTimes, slots_from
from export_pipelines.db import schedules
from export_pipelines.steps.schedules import order_of
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import check, require_ready

ON_TIME = timedelta(minutes=5)
"""A slot that is later than this was missed: a restart of the daemon takes less, an outage more."""
AT_ONCE = 500
"""Schedules that one tick works off; the next tick takes the others, in the order they were due."""
_LOOK_BACK = tuple(timedelta(**span) for span in ({"hours": 1}, {"days": 1}, {"days": 32}, {"days": 400}))


@dataclass(frozen=True, kw_only=True)
class Fired:
    """What became of one slot: a job, or the reason why there is none."""

    schedule: Schedule
    slot: Slot
    job_id: str | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Dispatched:
    """What one look at the schedules did.

    Attributes:
        fired: slots that were due, in the order they were taken.
        missed: schedules with slots that nobody was there for and that gave no job.
        paused: schedules that paused themselves.
    """

    fired: tuple[Fired, ...]
    missed: tuple[Schedule, ...]
    paused: tuple[Schedule, ...]


def dispatch(services: Services, wall_times: WallTimes) -> Dispatched:
    """Note how earlier exports ended, then make the jobs of all slots that have come.

    Any number may do this at once and be killed at any moment: a slot's job is made in the transaction that takes the
    slot, and a slot is taken once.

    Raises:
        UnavailableError: database or store are away; what was not done is due still.
    """
    now = services.clock()
    fired: list[Fired] = []
    missed: list[Schedule] = []
    paused = list(schedules.settle(services.database, now=now))
    due = schedules.due(services.database, now=now, limit=AT_ONCE)
    if due:
        require_ready(services)
    for schedule in due:
        try:
            slots, following = _due_slots(wall_times, schedule, now=now)
        except ValidationError as error:
            reason = f"its slots cannot be told any more: {error}"
            paused.append(schedules.pause(services.database, schedule.id, reason=reason, now=now))
            continue
        wanted = _wanted(schedule, slots, now=now)
        nexts = [*(slot.at for slot in wanted[1:]), following]
        for slot, after in zip(wanted, nexts, strict=False):
            fired.extend(_fire(services, schedule, slot, following=after, now=now))
        if not wanted:
            seen = schedule.next_run or now
            schedules.skip_to(services.database, schedule.id, seen=seen, following=following, now=now)
            missed.append(schedule)
    paused.extend(one.schedule for one in fired if not one.schedule.active)
    return Dispatched(fired=tuple(fired), missed=tuple(missed), paused=tuple(paused))


def _due_slots(wall_times: WallTimes, schedule: Schedule, *, now: datetime) -> tuple[list[Slot], datetime]:
    """The newest slots up to now (after a long outage not all of them), and the moment of the first one to come."""
    begin = schedule.next_run or now
    start = now
    for span in (*_LOOK_BACK, now - begin):
        start = max(begin, now - span)
        slots = []
        for slot in slots_from(wall_times, pattern=schedule.cron_pattern, timezone=schedule.timezone, start=start):
            if slot.at > now:
                break
            slots.append(slot)
        if slots or start == begin:
            break
    return slots, slot.at


def _wanted(schedule: Schedule, slots: list[Slot], *, now: datetime) -> list[Slot]:
    """The slots that give a job: those on time; where there are none, the newest, if missed ones are made up for."""
    on_time = [slot for slot in slots if now - slot.at <= ON_TIME]
    return on_time or (slots[-1:] if schedule.missed_slots is MissedSlots.RUN_ONCE else [])


def _fire(services: Services, schedule: Schedule, slot: Slot, *, following: datetime, now: datetime) -> Iterator[Fired]:
    """Fire the slot; nothing when somebody else has, or the schedule was paused or removed meanwhile."""
    # Templates in the order mean what they meant at the slot, however late it is.
    then = replace(services, clock=lambda: slot.at)
    moves = {"following": following, "now": now}
    try:
        request = check(then, order_of(schedule))
        job = schedules.fire(services.database, schedule.id, slot, request, **moves)
    except RequestError as error:
        after = schedules.refuse(services.database, schedule.id, slot, error=str(error), **moves)
        if after is not None:
            yield Fired(schedule=after, slot=slot, error=str(error))
        return
    if job is not None:
        yield Fired(schedule=schedule, slot=slot, job_id=job.id)
