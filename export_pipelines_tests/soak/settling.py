"""After traffic and faults: wait, within bounds, until everything that was promised has come to its end."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from export_pipelines.db.schedules import get
from export_pipelines.steps import schedules
from export_pipelines.steps.sweep import sweep
from export_pipelines_tests.soak.traffic import Traffic
from export_pipelines_tests.soak.world import World

SECONDS = 600.0
_MINUTE = "SELECT date_trunc('minute', now())"
_BEHIND = """SELECT count(*) FROM exports.export_schedules s WHERE s.id = ANY(%s) AND s.active AND NOT EXISTS
(SELECT FROM exports.export_schedule_slots t WHERE t.schedule_id = s.id AND t.at >= %s)"""
_UNFINISHED: Mapping[str, str] = {
    "exports": "SELECT count(*) FROM exports.export_jobs WHERE status IN ('PENDING', 'PROCESSING')",
    "messages": "SELECT count(*) FROM exports.export_deliveries WHERE state = 'PENDING'",
    "cancellations that the audit log does not know": """SELECT count(*) FROM exports.export_jobs j
        WHERE status = 'CANCELLED' AND NOT EXISTS
        (SELECT FROM exports.export_audit_logs a WHERE a.job_id = j.id AND a.action = 'cancelled')""",
}
_REACTIONS = "SELECT count(*) FROM exports.export_reactions"
_AT_ONCE = """UPDATE exports.export_deliveries SET next_try_at = now()
WHERE state = 'PENDING' AND claim IS NULL AND next_try_at > now()"""
_RUNS = "SELECT count(*) FROM runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')"
_OVERDUE = "SELECT count(*) FROM exports.export_jobs WHERE id = ANY(%s) AND status = 'COMPLETED'"
BEYOND_GRACE = timedelta(minutes=10)
"""Staging between a run's steps is kept for the grace period and the few minutes that clocks may differ by."""


def settle(world: World, traffic: Traffic) -> list[str]:
    """Wait for the end of all; what has not come to it in time, in words."""
    [(minute,)] = world.parts.rows(_MINUTE)
    late = _wait(lambda: {"schedules behind their time": world.parts.rows(_BEHIND, traffic.schedules, minute)[0][0]})
    for schedule_id in traffic.schedules:
        schedules.pause(world.services, get(world.services.database, schedule_id))
    late += _wait(lambda: _open(world, traffic))
    traffic.shorten()
    time.sleep(4)
    sweep(world.services)
    late += _wait(lambda: {"short exports": world.parts.rows(_OVERDUE, list(traffic.links))[0][0]}, seconds=30)
    return late


def _open(world: World, traffic: Traffic) -> Mapping[str, int]:
    # The longest waits between tries are hours; nobody needs to see them pass.
    world.parts.rows(_AT_ONCE)
    left = {what: world.parts.rows(query)[0][0] for what, query in _UNFINISHED.items()}
    expected = len(traffic.completed_runs) * len(traffic.subscriptions)
    left["reactions"] = expected - world.parts.rows(_REACTIONS)[0][0]
    left["Dagster runs"] = world.parts.runs(_RUNS)[0][0]
    return left


def _wait(look: Callable[[], Mapping[str, int]], *, seconds: float = SECONDS) -> list[str]:
    give_up = time.monotonic() + seconds
    while any((left := look()).values()):
        if time.monotonic() > give_up:
            return [f"still there after {seconds:.0f} s: {number} {what}" for what, number in left.items() if number]
        time.sleep(1)
    return []
