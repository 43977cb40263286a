"""Schedules as people handle them: checked when they are added or changed, paused, resumed, run at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.schedules import MissedSlots, Schedule, ScheduleRequest
from export_pipelines.core.slots import Slot, WallTimes, slots_from
from export_pipelines.db import schedules
from export_pipelines.steps import stated
from export_pipelines.steps.services import Services
from export_pipelines.steps.subjects import TEMPLATE
from export_pipelines.steps.submit import Order, check, submit

NAME_LENGTH = 100
BY_HAND = "paused by hand"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a schedule orders, and when."""

    order: Order
    name: str
    cron_pattern: str
    timezone: str
    missed_slots: MissedSlots


def add(
    services: Services,
    wall_times: WallTimes,
    order: Order,
    *,
    name: str,
    cron_pattern: str,
    timezone: str,
    missed_slots: MissedSlots,
) -> Schedule:
    """Check the order as if it were for now, and make a schedule that gives it at each slot from now on.

    Raises:
        ValidationError, NotFoundError: name, pattern, zone or order are wrong.
        ConflictError: the user has a schedule of that name.
    """
    now = services.clock()
    plan = Plan(order=order, name=name, cron_pattern=cron_pattern, timezone=timezone, missed_slots=missed_slots)
    wanted, first = _checked(services, wall_times, plan, now=now)
    return schedules.add(services.database, wanted, next_run=first.at, now=now)


def change(services: Services, wall_times: WallTimes, schedule: Schedule, plan: Plan) -> Schedule:
    """Have the schedule follow another plan, checked as if it were added now; a paused one stays paused.

    Raises:
        ValidationError, NotFoundError: the plan is wrong; nothing was changed.
        ConflictError: the user has another schedule of that name, or this one was changed meanwhile.
    """
    now = services.clock()
    wanted, first = _checked(services, wall_times, plan, now=now)
    moved = (wanted.cron_pattern, wanted.timezone) != (schedule.cron_pattern, schedule.timezone)
    # At the same times, a slot that has come and that nobody has looked at yet is not passed over.
    return schedules.alter(services.database, schedule, wanted, next_run=first.at if moved else None, now=now)


def plan_of(schedule: Schedule) -> Plan:
    """What the schedule follows now.

    Raises:
        ValidationError: as :func:`order_of`.
    """
    return Plan(
        order=order_of(schedule),
        name=schedule.name,
        cron_pattern=schedule.cron_pattern,
        timezone=schedule.timezone,
        missed_slots=schedule.missed_slots,
    )


def order_of(schedule: Schedule) -> Order:
    """What each slot of the schedule orders.

    Raises:
        ValidationError: the row has an input that cannot be read, or a type that is not on offer any more.
    """
    type_ = export_type(schedule.type)
    given = schedule.input
    for name in ("subject_id", "expiry_hours", "options"):
        if name not in given:
            raise ValidationError(
                f"schedule {schedule.name!r} has an input without {name!r}; remove it and add it again."
            )
    try:
        return Order(
            type=schedule.type,
            user=schedule.user_id,
            expiry_hours=stated.hours(given),
            options=stated.object_(given, "options"),
            title=stated.text(given, "title") or "",
            delivery=schedule.delivery,
            **{type_.subject_field: stated.text(given, "subject_id")},
        )
    except ValidationError as error:
        raise ValidationError(
            f"schedule {schedule.name!r} has an input that cannot be read: {error} Remove it and add it again."
        ) from error


def upcoming(wall_times: WallTimes, *, cron_pattern: str, timezone: str, count: int, now: datetime) -> tuple[Slot, ...]:
    """The next slots after now.

    Raises:
        ValidationError: pattern or zone are wrong.
    """
    slots = slots_from(wall_times, pattern=cron_pattern, timezone=timezone, start=now)
    return tuple(_next_slot(slots, now=now) for _ in range(count))


def pause(services: Services, schedule: Schedule) -> Schedule:
    """Stop the schedule, by hand; one that is paused already stays so, for the reason that it has."""
    return schedules.pause(services.database, schedule.id, reason=BY_HAND, now=services.clock())


def resume(services: Services, wall_times: WallTimes, schedule: Schedule) -> Schedule:
    """Let the schedule go on with its next slot; those that came while it was paused are not made up for.

    Raises:
        ValidationError: pattern, zone or order are wrong by now.
    """
    now = services.clock()
    check(services, order_of(schedule))
    [slot] = upcoming(
        wall_times, cron_pattern=schedule.cron_pattern, timezone=schedule.timezone, count=1, now=now
    )  # fmt: skip
    return schedules.resume(services.database, schedule.id, next_run=slot.at, now=now)


def run_now(services: Services, schedule: Schedule) -> ExportJob:
    """Order what a slot would, now; no slot is taken and nothing is counted."""
    return submit(services, order_of(schedule))


def _checked(services: Services, wall_times: WallTimes, plan: Plan, *, now: datetime) -> tuple[ScheduleRequest, Slot]:
    """The plan as a request that can be kept, and its first slot."""
    name, order = plan.name.strip(), plan.order
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise ValidationError(f"schedule name {name[:40]!r} is empty, too long or holds control characters.")
    slots = slots_from(wall_times, pattern=plan.cron_pattern, timezone=plan.timezone, start=now)
    first = _next_slot(slots, now=now)
    request = check(services, order)
    typed = _typed_subject(export_type(request.type), order)
    wanted = ScheduleRequest(
        name=name,
        user_id=request.user_id,
        type=request.type,
        input={
            # What a name means today is what it means; what a template means is asked at each slot.
            "subject_id": typed if typed.startswith(TEMPLATE) else request.subject_id,
            "expiry_hours": request.expiry_hours,
            "options": dict(request.options),
            "title": order.title,
        },
        cron_pattern=" ".join(plan.cron_pattern.split()),
        timezone=plan.timezone,
        delivery=request.delivery,
        missed_slots=plan.missed_slots,
    )
    return wanted, first


def _next_slot(slots: Iterator[Slot], *, now: datetime) -> Slot:
    return next(slot for slot in slots if slot.at > now)


def _typed_subject(type_: ExportType, order: Order) -> str:
    return str(getattr(order, type_.subject_field) or "").strip()
