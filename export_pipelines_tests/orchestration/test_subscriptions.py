"""The sensor of completed runs: what a tick does and says, what it remembers, and the sweep beside it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.subscriptions import Subscription
from export_pipelines.db import jobs, subscriptions
from export_pipelines.db.database import Database
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_RUN_ID
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.reacting import Cursor, read_cursor, tick, write_cursor
from export_pipelines.orchestration.resources import services_of
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order
from export_pipelines.steps.subscribe import Wish, subscribe
from export_pipelines.storage.local import LocalStore

DEFINITIONS = build_definitions()
NOTHING = "No run has completed that a subscription asks for."


@pytest.fixture
def services(deployment: Database, tmp_path: Path) -> Services:
    return services_of(deployment, LocalStore(tmp_path / "store"))


@pytest.fixture
def subscription(services: Services) -> Subscription:
    return subscribe(services, Wish(order=Order(type="RUN_BUNDLE", user=DEMO_USER_EMAIL)))


def complete_showcase(database: Database) -> None:
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET completed_at = now() WHERE id = %s", [SHOWCASE_RUN_ID])


def look(instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    sensor = DEFINITIONS.get_repository_def().get_sensor_def("react_to_completed_runs")
    with dg.build_sensor_context(instance=instance, resources=DEFINITIONS.resources, cursor=cursor) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


def said(result: dg.SensorResult) -> str:
    assert result.skip_reason is not None
    return str(result.skip_reason.skip_message)


def test_a_tick_makes_pending_jobs_and_says_so_and_the_next_has_nothing_to_do(
    deployment: Database, subscription: Subscription, instance: dg.DagsterInstance
) -> None:
    first = look(instance, None)
    assert said(first) == NOTHING
    complete_showcase(deployment)
    second = look(instance, first.cursor)
    assert said(second) == "Started 1 exports of completed runs."
    assert not second.run_requests
    (job,) = jobs.list_jobs(deployment)
    assert (job.type, job.input["subject_id"]) == ("RUN_BUNDLE", SHOWCASE_RUN_ID)
    for cursor in (second.cursor, first.cursor, None):
        assert said(look(instance, cursor)) == NOTHING
    assert len(jobs.list_jobs(deployment)) == 1


def test_a_tick_says_what_was_refused_and_where_to_look(
    deployment: Database, subscription: Subscription, instance: dg.DagsterInstance
) -> None:
    with deployment.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.definitions SET deleted_at = now()")
    complete_showcase(deployment)
    told = said(look(instance, None))
    assert told.startswith("Started 0 exports of completed runs, refused 1 (`export-pipelines subscriptions show`")


def test_without_an_active_subscription_the_runs_are_not_looked_at(
    deployment: Database, subscription: Subscription, instance: dg.DagsterInstance
) -> None:
    subscriptions.pause(deployment, subscription.id, now=datetime.now(UTC))
    complete_showcase(deployment)
    with deployment.raw_connection(autocommit=True) as connection:
        connection.execute("ALTER TABLE evaluation.runs RENAME TO away")
    assert said(look(instance, None)).startswith("No subscription is active.")


def test_a_cursor_is_written_as_it_is_read_to_the_microsecond() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    for cursor in (Cursor(), Cursor(completed_at=moment, run_id="cé"), Cursor(rest_until=moment)):
        assert read_cursor(write_cursor(cursor)) == cursor
    assert read_cursor(None) == read_cursor("") == Cursor()


@pytest.mark.parametrize(
    "wrong", ["2026-03-01", "[]", '{"completed_at": "soon"}', '{"completed_at": "2026-03-01T12:00:00"}']
)
def test_a_cursor_that_somebody_typed_fails_the_tick_with_the_way_out(
    instance: dg.DagsterInstance, deployment: Database, wrong: str
) -> None:
    with pytest.raises(ValidationError, match="Clear it"):
        read_cursor(wrong)
    with pytest.raises(dg.Failure, match="Clear it"):
        look(instance, wrong)


@pytest.mark.parametrize(("index", "seconds"), [("", 10), ("DROP INDEX evaluation.ix_runs_completed", 40)])
def test_after_a_look_that_took_long_the_sensor_rests_and_not_for_long_where_an_index_finds_the_runs(
    services: Services, subscription: Subscription, index: str, seconds: int
) -> None:
    with services.database.raw_connection(autocommit=True) as connection:
        connection.execute(index.encode())
    moment = datetime.now(UTC)

    def slow_clock() -> datetime:
        nonlocal moment
        moment += timedelta(seconds=2)
        return moment

    slow = replace(services, clock=slow_clock)
    cursor, told = tick(slow, Cursor())
    assert told == NOTHING
    assert cursor.rest_until is not None
    # The tick asked for the time when it began, and three times since.
    began = moment - timedelta(seconds=2 * 3)
    assert cursor.rest_until - began == timedelta(seconds=seconds)
    complete_showcase(services.database)
    again, told = tick(slow, cursor)
    assert again == cursor
    assert "index on (completed_at, id)" in told
    moment = cursor.rest_until
    assert tick(slow, cursor)[1].startswith("Started 1 exports")


def test_the_hourly_sweep_finds_what_a_sensor_with_a_late_cursor_misses(
    deployment: Database, services: Services, subscription: Subscription, instance: dg.DagsterInstance
) -> None:
    complete_showcase(deployment)
    ahead = Cursor(completed_at=datetime.now(UTC) + timedelta(hours=1))
    assert said(look(instance, write_cursor(ahead))) == NOTHING
    job = DEFINITIONS.resolve_job_def("catch_up_subscriptions")
    result = job.execute_in_process(instance=instance)
    (told,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    metadata = told.step_output_data.metadata
    assert (metadata["jobs_created"].value, metadata["runs_refused"].value) == (1, 0)
    assert len(subscriptions.reactions(deployment, subscription.id, limit=9)) == 1
