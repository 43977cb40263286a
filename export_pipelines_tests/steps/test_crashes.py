"""Killed at any moment, an export leaves nothing half-done in sight, and is completed by running it again."""

import random
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from export_pipelines.db import jobs
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines_tests.chaos.checks import check_completed_by_running_again, check_nothing_half_done
from export_pipelines_tests.chaos.plan import OF_ONE_SHARD, OF_PARTS, STREAMED, Route, plan
from export_pipelines_tests.chaos.rounds import Tally, carry_out
from export_pipelines_tests.deployments import Deployment, Outcome
from export_pipelines_tests.dying import Point
from export_pipelines_tests.steps.orders import order

BUNDLE, BUNDLE_ALONE, PARQUET, JSONL = *OF_PARTS, STREAMED[0]
EXPORT = "export_pipelines.steps.export"
LOCAL = "export_pipelines.storage.local"
LEDGER = "export_pipelines.db.ledger"
STAGING = "export_pipelines.steps.staging"

BOUNDARIES = [
    Point(target=f"{EXPORT}:begin", when="before"),
    Point(target=f"{EXPORT}:load", when="before"),
    Point(target=f"{EXPORT}:load", when="after"),
    Point(target=f"{EXPORT}:render", when="after", call=2),
    Point(target=f"{EXPORT}:package", when="before"),
    Point(target=f"{EXPORT}:package", when="after"),
    Point(target=f"{EXPORT}:upload", when="after"),
    Point(target=f"{EXPORT}:record", when="after"),
]
MIDDLES = [
    Point(target=f"{LOCAL}:LocalWriter.write", when="after", call=3, within=f"{EXPORT}:load"),
    Point(target=f"{LEDGER}:commit_frozen", when="before", call=2),
    Point(target=f"{LEDGER}:commit_frozen", when="after", call=2),
    Point(target=f"{STAGING}:stage_record", when="before", within=f"{EXPORT}:load"),
    Point(target=f"{LOCAL}:LocalWriter.write", when="after", call=2, within=f"{EXPORT}:render"),
    Point(target=f"{LEDGER}:commit_rendered", when="before", call=2),
    Point(target="export_pipelines.steps.package:lay_out", when="after"),
    Point(target=f"{STAGING}:stage_record", when="after", within=f"{EXPORT}:package"),
    Point(target=f"{LOCAL}:LocalStore.compose", when="after"),
    Point(target=f"{LOCAL}:LocalStore._append", when="after", call=3, within=f"{EXPORT}:upload"),
    Point(target="export_pipelines.storage.local_publishing:_rename", when="before", call=2, within=f"{EXPORT}:upload"),
    Point(target="export_pipelines.db.audit:record", when="after", within=f"{EXPORT}:record"),
]
OF_STREAMED_FILES = [
    MIDDLES[0],
    Point(target=f"{LEDGER}:commit_streamed", when="before"),
    Point(target=f"{LEDGER}:commit_streamed", when="after"),
    MIDDLES[3],
    *MIDDLES[6:9],
    Point(target=f"{LOCAL}:published_link", when="after"),
    *MIDDLES[10:],
]
OF_STREAMED_ARCHIVES = [MIDDLES[0], *OF_STREAMED_FILES[1:4], *MIDDLES[6:10]]
OF_SMALL_FILES = [MIDDLES[3], MIDDLES[10]]
DEATHS = [
    *[(BUNDLE, point) for point in (*BOUNDARIES, *MIDDLES)],
    *[(BUNDLE_ALONE, point) for point in OF_STREAMED_ARCHIVES],
    *[(JSONL, point) for point in (*BOUNDARIES, *OF_STREAMED_FILES)],
    *[(route, point) for route in OF_ONE_SHARD for point in OF_SMALL_FILES],
]

SEEDS = range(30)
"""Two kills each, so the suite kills over fifty times at moments that nobody chose; ``make chaos`` goes further."""


@pytest.fixture
def services(services: Services) -> Services:
    """With the machine's clock, which the processes that die go by too."""
    return replace(services, clock=lambda: datetime.now(UTC))


@pytest.fixture
def deployment(services: Services) -> Deployment:
    return Deployment(services=services)


@pytest.mark.parametrize(("route", "point"), DEATHS, ids=str)
def test_a_killed_export_is_completed_by_running_it_again(
    services: Services, deployment: Deployment, route: Route, point: Point
) -> None:
    job = route.submit(services)
    died = deployment.work(point, job.id, alone=route.alone).wait()
    assert died.status == -signal.SIGKILL, died
    check_nothing_half_done(services, job.id)
    check_completed_by_running_again(services, job.id)


@pytest.mark.parametrize("seed", range(6))
def test_an_export_killed_again_and_again_at_random_moments_is_completed_in_the_end(
    services: Services, deployment: Deployment, seed: int
) -> None:
    chance = random.Random(seed)
    type_name = ("BULK_JSONL", "RUN_BUNDLE", "BULK_CSV")[seed % 3]
    began = time.monotonic()
    run_export(services, submit(services, order(type_name)).id)
    usual_seconds = time.monotonic() - began
    job = submit(services, order(type_name))
    for _ in range(3):
        worker = deployment.work(None, job.id)
        time.sleep(usual_seconds * chance.random())
        worker.process.kill()
        worker.wait()
        check_nothing_half_done(services, job.id)
    check_completed_by_running_again(services, job.id)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_export_killed_at_two_calls_that_the_seed_chooses_is_completed_by_running_it_again(
    deployment: Deployment, seed: int
) -> None:
    tally = Tally()
    carry_out(deployment, plan(seed), tally)
    assert tally.identical == 1, plan(seed)
    assert tally.kills.total() >= 1


@pytest.mark.parametrize(
    ("route", "point"),
    [
        (BUNDLE, None),
        (BUNDLE, MIDDLES[1]),
        (BUNDLE, BOUNDARIES[3]),
        (BUNDLE_ALONE, None),
        (JSONL, None),
        (JSONL, BOUNDARIES[4]),
        (PARQUET, None),
    ],
    ids=str,
)
def test_of_two_that_work_on_a_job_at_once_one_does_and_the_other_says_so(
    services: Services, deployment: Deployment, route: Route, point: Point | None
) -> None:
    job = route.submit(services)
    if point is not None:
        deployment.work(point, job.id, alone=route.alone).wait()
    attempts = jobs.get(services.database, job.id).attempt
    one, other = sorted(
        (worker.wait() for worker in [deployment.work(None, job.id, alone=route.alone) for _ in range(2)]),
        key=by_status,
    )
    assert (one.status, one.err) == (0, "")
    assert other.status == 1
    assert other.err in (
        f"error: Export job {job.id} is being worked on by somebody else right now; wait for it.\n",
        f"error: job {job.id} is COMPLETED; start a new export instead.\n",
    )
    assert jobs.get(services.database, job.id).attempt == attempts + (point is MIDDLES[1])
    check_completed_by_running_again(services, job.id)


def by_status(outcome: Outcome) -> int:
    return outcome.status
