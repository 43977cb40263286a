"""Slots become jobs, each slot one, over two simulated years and whatever restarts; whichever zone they are in."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from export_pipelines.db import jobs
from export_pipelines.orchestration.cron import wall_times
from export_pipelines.steps.dispatch import dispatch
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.dying import Point
from export_pipelines_tests.steps.scheduled import added, now_of, slots_of
from export_pipelines_tests.steps.two_years import AT_MIDNIGHT, BEGIN, END, SUNDAYS, ZONES, expected

DYING = "export_pipelines.db.schedules.firing"


# Seconds on a machine of one's own; minutes on one that many share.
@pytest.mark.timeout(600)
def test_two_years_give_exactly_one_job_a_slot_in_every_zone_whatever_restarts(services, clock):
    """Ticks come late, two at once, and some die between two schedules; nothing is lost and nothing doubled."""
    clock.now = BEGIN.to_pydatetime() - timedelta(minutes=1)
    made = {zone: added(services, zone, SUNDAYS[zone in AT_MIDNIGHT], zone) for zone in ZONES}
    draw = random.Random(4)
    deaths = 0
    with ThreadPoolExecutor(2) as pool:
        while (due := next_due(services)) < END.to_pydatetime():
            clock.now = due + timedelta(seconds=draw.uniform(0, 200))
            fate = draw.random()
            if fate < 0.1:
                try:
                    dispatch(services, dying_after(draw.randrange(1, 4)))
                except DyingError:
                    deaths += 1
            elif fate < 0.2:
                frozen = replace(services, clock=lambda now=clock.now: now)
                list(pool.map(lambda _: dispatch(frozen, wall_times), range(2)))  # noqa: B023 - done before the next round
            else:
                dispatch(services, wall_times)
    total = 0
    for zone, schedule in made.items():
        # What is expected knows neither cron nor zoneinfo.
        slots = slots_of(services, schedule)
        assert [at for at, _ in slots] == expected(zone, SUNDAYS[zone in AT_MIDNIGHT]), zone
        assert now_of(services, schedule).run_count == len(slots)
        total += len(slots)
    with services.database.raw_connection() as connection:
        counted = connection.execute(
            "SELECT count(*), count(DISTINCT s.job_id) FROM exports.export_jobs j"
            " JOIN exports.export_schedule_slots s ON s.job_id = j.id"
        ).fetchone()
        [jobs_made] = connection.execute("SELECT count(*) FROM exports.export_jobs").fetchone()
    assert counted == (total, total)
    assert jobs_made == total > 600
    assert deaths > 5


def next_due(services):
    with services.database.raw_connection() as connection:
        return connection.execute("SELECT min(next_run) FROM exports.export_schedules").fetchone()[0]


class DyingError(Exception):
    """Stands for whatever ends a tick in the middle; a real kill is below."""


def dying_after(calls):
    left = iter(range(calls))

    def read(pattern, start):
        if next(left, None) is None:
            raise DyingError
        return wall_times(pattern, start)

    return read


@pytest.mark.parametrize(
    "point",
    [
        Point(target=f"{DYING}:_take", when="after"),
        Point(target=f"{DYING}:jobs.create_in", when="after"),
        Point(target="export_pipelines.db.schedules:fire", when="after"),
        Point(target="export_pipelines.db.schedules:fire", when="before", call=2),
    ],
    ids=str,
)
def test_a_tick_that_is_killed_loses_no_slot_and_doubles_none(services, point):
    # The process asks the machine's clock, so the slots are of today.
    now = datetime.now(UTC)
    today = replace(services, clock=lambda: now - timedelta(minutes=2))
    made = [added(today, name, "* * * * *") for name in ("one", "two")]
    deployment = Deployment(services=services)
    assert deployment.fork(point, "dispatch").wait().status == -9
    assert deployment.fork(None, "dispatch").wait().status == 0
    for schedule in made:
        slots = slots_of(services, schedule)
        assert len(slots) >= 2
        assert {late - early for (early, _), (late, _) in pairwise(slots)} == {timedelta(minutes=1)}
        assert all(count == 1 for count in Counter(job for _, job in slots).values())
    assert len(jobs.list_jobs(services.database)) == sum(len(slots_of(services, schedule)) for schedule in made)
