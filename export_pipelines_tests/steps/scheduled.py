"""Schedules under test: added, ticked, and what has become of their slots."""

from datetime import UTC, datetime

from export_pipelines.core.jobs import JobStatus
from export_pipelines.core.schedules import MissedSlots
from export_pipelines.db import schedules
from export_pipelines.orchestration.cron import wall_times
from export_pipelines.steps.dispatch import dispatch
from export_pipelines.steps.schedules import add
from export_pipelines_tests.steps.orders import order

MAY = datetime(2026, 5, 4, 2, 29, 30, tzinfo=UTC)
"""Half a minute before the first slot of a schedule for 02:30."""


def added(services, name="nightly", pattern="30 2 * * *", zone="UTC", missed=MissedSlots.SKIP, what=None):
    return add(
        services, wall_times, what or order("DEFINITION_MD"),
        name=name, cron_pattern=pattern, timezone=zone, missed_slots=missed,
    )  # fmt: skip


def slots_of(services, schedule):
    """Each slot's moment and job, in order."""
    with services.database.raw_connection() as connection:
        query = "SELECT at, job_id FROM exports.export_schedule_slots WHERE schedule_id = %s ORDER BY at"
        return connection.execute(query, [schedule.id]).fetchall()


def moments(services, schedule):
    return [f"{at:%d %H:%M}" for at, _ in slots_of(services, schedule)]


def now_of(services, schedule):
    return schedules.get(services.database, schedule.id)


def tick(services, clock, **span):
    clock.jump(**span)
    return dispatch(services, wall_times)


def end_jobs(services, status=JobStatus.FAILED, error="the disk is full"):
    """Let every job that waits end so."""
    with services.database.raw_connection(autocommit=True) as connection:
        ended = "UPDATE exports.export_jobs SET status = %s, error = %s WHERE status = 'PENDING'"
        connection.execute(ended, [status, error])
