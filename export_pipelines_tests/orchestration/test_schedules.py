"""The schedules as Dagster evaluates them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from export_pipelines.core.schedules import MissedSlots
from export_pipelines.db import jobs, schedules
from export_pipelines.db.database import Database
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_RUN_ID
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.clock import now
from export_pipelines.orchestration.cron import wall_times
from export_pipelines.orchestration.resources import open_configured_store, services_of
from export_pipelines.steps.schedules import add
from export_pipelines_tests.steps.orders import order

DEFINITIONS = build_definitions()
REPOSITORY = DEFINITIONS.get_repository_def()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One that lasts: a tick is not given any other."""
    home = tmp_path / "dagster"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        yield instance


def tick(name: str, instance: dg.DagsterInstance, at: datetime | None = None):
    """What the daemon gets when it evaluates the schedule."""
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=at or datetime.now(UTC),
        repository_def=REPOSITORY,
        resources=DEFINITIONS.resources,
    ) as context:
        return REPOSITORY.get_schedule_def(name).evaluate_tick(context)


def scheduled(database: Database, name: str = "nightly") -> str:
    """A schedule for every minute whose first slot has just come."""
    services = services_of(database, open_configured_store())
    made = add(
        services, wall_times, order("BULK_CSV"),
        name=name, cron_pattern="* * * * *", timezone="UTC", missed_slots=MissedSlots.SKIP,
    )  # fmt: skip
    with database.raw_connection(autocommit=True) as connection:
        due = now().replace(second=0, microsecond=0)
        connection.execute("UPDATE exports.export_schedules SET next_run = %s WHERE id = %s", [due, made.id])
    return made.id


def test_a_tick_queues_what_is_due_says_so_and_launches_nothing(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    assert tick("dispatch_schedules", instance).skip_message == "No schedule is due."
    scheduled(deployment)
    data = tick("dispatch_schedules", instance)
    assert not data.run_requests
    found = jobs.list_jobs(deployment)
    assert len(found) in (1, 2)  # the minute may just have passed
    assert data.skip_message.startswith(f"Queued {len(found)}: nightly at ")
    assert all(job.id in data.skip_message for job in found)


def test_a_tick_says_what_is_wrong_and_which_schedule_paused_itself(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    id_ = scheduled(deployment)
    with deployment.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET deleted_at = now()")
        connection.execute(
            "INSERT INTO exports.export_schedule_slots (schedule_id, local_time, fold, at, outcome, error)"
            " SELECT %s, now() - n * interval '1 h', 0, now() - n * interval '1 h', 'FAILED', 'wrong'"
            " FROM generate_series(1, 4) n",
            [id_],
        )
    said = tick("dispatch_schedules", instance).skip_message
    assert said.startswith("Could not queue ")
    assert "was deleted" in said
    assert "Paused 1: nightly: 5 exports in a row failed" in said
    assert not schedules.get(deployment, id_).active


def test_the_job_does_what_a_tick_does(deployment: Database, instance: dg.DagsterInstance) -> None:
    scheduled(deployment)
    assert DEFINITIONS.resolve_job_def("dispatch_exports").execute_in_process(instance=instance).success
    assert jobs.list_jobs(deployment)


def test_the_nightly_export_is_of_the_latest_run_which_the_next_night_does_not_export_again(
    deployment: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = DEFINITIONS.resolve_job_def("export_bulk_jsonl")

    def night():
        [request] = tick("export_latest_run_nightly", instance).run_requests
        return job.execute_in_process(
            run_config=request.run_config, tags=request.tags, instance=instance, raise_on_error=False
        ).success

    # A night that fails is made up for by the next one.
    with monkeypatch.context() as broken:
        broken.setenv("EXPORT_PIPELINES_LINK_SECRET", "short")
        assert not night()
    assert night()
    [made] = jobs.list_jobs(deployment)
    assert made.input["subject_id"] == SHOWCASE_RUN_ID
    assert f"since {SHOWCASE_RUN_ID}" in tick("export_latest_run_nightly", instance).skip_message


def test_the_nightly_export_waits_for_a_first_run(deployment: Database, instance: dg.DagsterInstance) -> None:
    with deployment.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET deleted_at = now()")
    assert "No run was completed yet" in tick("export_latest_run_nightly", instance).skip_message


def test_the_daily_export_fills_the_partition_of_the_day_that_is_over(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    [request] = tick("export_day_nightly", instance, datetime(2026, 4, 16, 0, 30, tzinfo=UTC)).run_requests
    assert request.partition_key == "2026-04-15"


@pytest.mark.parametrize("user", [DEMO_USER_EMAIL, ""])
def test_the_nightly_export_is_for_whom_the_settings_name(
    deployment: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    monkeypatch.setenv("EXPORT_PIPELINES_USER", user)
    [request] = tick("export_latest_run_nightly", instance).run_requests
    named = request.run_config["ops"]["load_run"]["config"]["user"]
    assert named == user if user else named.startswith("c")
