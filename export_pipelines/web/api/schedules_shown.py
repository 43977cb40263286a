"""Schedules as answers show them."""

from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.schedules import MissedSlots, Schedule
from export_pipelines.core.slots import Slot
from export_pipelines.web.api.bodies import Answer, Moment

_EXAMPLE: dict[str, Any] = {
    "id": "c0mwxsa7ysnajku0iiy2kh170",
    "user_id": "c4mmvt69yvfyh54nttnyuatal",
    "name": "nightly",
    "type": "BULK_CSV",
    "input": {
        "subject_id": "@latest",
        "expiry_hours": 24,
        "options": {"allow_partial": False, "compression": "none", "profile": "flat", "strict": False},
        "title": "",
    },
    "cron_pattern": "30 2 * * *",
    "timezone": "Europe/Berlin",
    "missed_slots": "RUN_ONCE",
    "recipients": ["ada@example.org"],
    "include_download_link": True,
    "attach_file": False,
    "active": True,
    "paused_reason": None,
    "resumed_at": None,
    "last_run": None,
    "next_run": "2026-03-02T01:30:00.000Z",
    "run_count": 0,
    "failure_count": 0,
    "created_at": "2026-03-01T12:00:00.000Z",
    "updated_at": "2026-03-01T12:00:00.000Z",
}
_TIME: dict[str, Any] = {"at": "2026-03-02T01:30:00.000Z", "local": "2026-03-02T02:30:00+01:00"}


class SlotAnswer(Answer):
    """A time at which a schedule is due."""

    at: Moment
    local: str = Field(description="What the clock on the wall shows then, with its offset from UTC.")

    model_config = ConfigDict(json_schema_extra={"examples": [_TIME]})


class Times(Answer):
    """The next times, ascending."""

    items: list[SlotAnswer]


class ScheduleAnswer(Answer):
    """A schedule; `input.subject_id` is what each of its exports is of."""

    id: str
    user_id: str
    name: str
    type: str
    input: dict[str, Any]
    cron_pattern: str
    timezone: str
    missed_slots: MissedSlots
    recipients: list[str]
    include_download_link: bool
    attach_file: bool
    active: bool
    paused_reason: str | None
    resumed_at: Moment | None
    last_run: Moment | None = Field(description="When its last time was turned into an export.")
    next_run: Moment | None = Field(description="`null` while it is paused.")
    run_count: int
    failure_count: int
    created_at: Moment
    updated_at: Moment

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class OneSchedule(ScheduleAnswer):
    """A schedule with its next times."""

    next_times: list[SlotAnswer]

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "next_times": [_TIME]}]})


class SchedulePage(Answer):
    """A page of schedules, the newest first."""

    items: list[ScheduleAnswer]
    next_cursor: str | None


def shown(schedule: Schedule) -> ScheduleAnswer:
    """The row, by its columns."""
    told = schedule.delivery or DeliveryRequest(recipients=())
    rest = {name: getattr(schedule, name) for name in ScheduleAnswer.model_fields if hasattr(schedule, name)}
    return ScheduleAnswer(
        **rest,
        recipients=list(told.recipients),
        include_download_link=told.include_download_link,
        attach_file=told.attach_file,
    )


def slot_shown(slot: Slot, zone: ZoneInfo) -> SlotAnswer:
    """The time, in UTC and on the wall."""
    return SlotAnswer(at=slot.at, local=slot.at.astimezone(zone).isoformat(timespec="seconds"))
