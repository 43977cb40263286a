"""Schedules: exports that are asked for again and again, by a row instead of a person."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from export_pipelines.core.deliveries import DeliveryRequest


class MissedSlots(enum.StrEnum):
    """What becomes of slots that nobody was there for, when somebody is there again."""

    SKIP = "SKIP"
    RUN_ONCE = "RUN_ONCE"


@dataclass(frozen=True, kw_only=True)
class ScheduleRequest:
    """A schedule that somebody asked for, validated.

    Attributes:
        name: unique among the user's schedules.
        user_id: who its exports are for.
        type: a name in the catalog.
        input: ``subject_id``, ``expiry_hours``, ``options`` and ``title`` of each export; the subject may be a
            template, like ``@latest``, that is filled in when a slot is due.
        cron_pattern, timezone: when its slots are; see ``core.slots``.
        delivery: who is told of each export; None when nobody is.
        missed_slots: what becomes of slots that were missed.
    """

    name: str
    user_id: str
    type: str
    input: Mapping[str, Any]
    cron_pattern: str
    timezone: str
    delivery: DeliveryRequest | None = None
    missed_slots: MissedSlots = MissedSlots.SKIP


@dataclass(frozen=True, kw_only=True)
class Schedule(ScheduleRequest):
    """One row of ``exports.export_schedules``. Times are aware and UTC.

    Attributes:
        active: whether its slots give exports; otherwise ``paused_reason`` says why not, and there is no ``next_run``.
        resumed_at: failures of before do not count any more.
        last_run: when its last slot was turned into an export.
        next_run: the moment of its next slot.
        run_count: slots that were turned into exports, or should have been.
        failure_count: how many of these failed.
    """

    id: str
    active: bool
    paused_reason: str | None
    resumed_at: datetime | None
    last_run: datetime | None
    next_run: datetime | None
    run_count: int
    failure_count: int
    created_at: datetime
    updated_at: datetime
