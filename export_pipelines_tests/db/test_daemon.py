"""What is known of Dagster's daemon, from tables that Dagster itself wrote."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import httpx
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from export_pipelines.db import daemon
from export_pipelines.db.database import Database
from export_pipelines.storage.local import LocalStore
from export_pipelines.web.app import create_app
from export_pipelines_tests.web.site import SECRET, running, services_on

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def dagster_database(empty_database: str) -> Iterator[Database]:
    with closing(Database(empty_database)) as database:
        yield database


@pytest.fixture
def instance(dagster_database: Database, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's own storage, in PostgreSQL."""
    url = dagster_database.url.replace("+psycopg:", "+psycopg2:")
    config = {"storage": {"postgres": {"postgres_url": url}}, "telemetry": {"enabled": False}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def beat(instance: dg.DagsterInstance, at: datetime, parts: tuple[str, ...] = daemon.NEEDED) -> None:
    for part in parts:
        instance.add_daemon_heartbeat(DaemonHeartbeat(at.timestamp(), part, "daemon-1", []))


def tick(instance: dg.DagsterInstance, name: str, *ticks: tuple[TickStatus, datetime]) -> None:
    """A sensor's ticks as the daemon writes them."""
    target = LoadableTargetOrigin(module_name="export_pipelines.definitions")
    repository = RemoteRepositoryOrigin(InProcessCodeLocationOrigin(target), "__repository__")
    origin = repository.get_instigator_origin(name)
    data = SensorInstigatorData(min_interval=5)
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.DECLARED_IN_CODE, data)
    instance.add_instigator_state(state)
    for status, at in ticks:
        instance.create_tick(
            TickData(
                origin.get_id(),
                name,
                InstigatorType.SENSOR,
                status,
                at.timestamp(),
                run_ids=[],
                error=SerializableErrorInfo("why", [], None) if status is TickStatus.FAILURE else None,
                selector_id=state.selector_id,
            )
        )


def known(database: Database) -> daemon.Daemon:
    found = daemon.read(database)
    assert found is not None
    return found


def test_a_daemon_that_ticks_is_told_from_one_that_stopped(
    instance: dg.DagsterInstance, dagster_database: Database
) -> None:
    assert known(dagster_database).stopped(NOW) == daemon.NEEDED
    beat(instance, NOW)
    assert known(dagster_database).stopped(NOW + timedelta(seconds=100)) == ()
    beat(instance, NOW + timedelta(seconds=90), parts=("SENSOR", "BACKFILL"))
    assert known(dagster_database).stopped(NOW + timedelta(seconds=150)) == ("SCHEDULER", "QUEUED_RUN_COORDINATOR")


def test_the_last_tick_of_each_sensor_is_found_by_its_name(
    instance: dg.DagsterInstance, dagster_database: Database
) -> None:
    before = NOW - timedelta(minutes=1)
    tick(instance, "one", (TickStatus.SUCCESS, before), (TickStatus.FAILURE, NOW))
    tick(instance, "other", (TickStatus.SKIPPED, before))
    found = {one.name: (one.kind, one.status, one.at) for one in known(dagster_database).ticks}
    assert found == {"one": ("sensor", "FAILURE", NOW), "other": ("sensor", "SKIPPED", before)}


def test_health_and_metrics_tell_what_the_daemon_does(
    instance: dg.DagsterInstance, dagster_database: Database, database: Database, tmp_path: Path
) -> None:
    beat(instance, NOW)
    tick(instance, "one", (TickStatus.FAILURE, NOW - timedelta(seconds=20)))
    clock = [NOW + timedelta(seconds=10)]
    store = LocalStore(tmp_path / "store")
    services = services_on(database, store, lambda: clock[0])
    app = create_app(services, secret=SECRET, dagster=dagster_database)
    with running(app) as url:

        def answers() -> tuple[object, ...]:
            whole, alone = httpx.get(f"{url}/healthz"), httpx.get(f"{url}/healthz/daemon")
            return whole.status_code, whole.json()["daemon"], alone.status_code, alone.json()["status"]

        assert answers() == (200, "ok", 200, "ok")
        families = text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
        values = {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}
        assert values["export_pipelines_daemon_up",] == 1
        assert values["export_pipelines_daemon_heartbeat_age_seconds", "SENSOR"] == 10
        assert values["export_pipelines_tick_age_seconds", "one", "sensor"] == 30
        assert values["export_pipelines_tick_failed", "one", "sensor"] == 1
        clock[0] += timedelta(minutes=5)
        assert answers() == (200, "stopped", 503, "unavailable")
        assert "export_pipelines_daemon_up 0.0\n" in httpx.get(f"{url}/metrics").text


def test_nobody_waits_while_somebody_asks_a_database_that_does_not_answer(
    instance: dg.DagsterInstance, dagster_database: Database
) -> None:
    beat(instance, NOW)
    watch = daemon.DaemonWatch(dagster_database, lambda: NOW)
    with dagster_database.raw_connection() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("LOCK TABLE daemon_heartbeats")
        asking = pool.submit(watch.look)
        while not watch._looking.locked():
            pass
        assert watch.look() is None
        connection.rollback()
        assert asking.result(timeout=10) is not None
    beat(instance, NOW - timedelta(hours=1))
    assert watch.look() is asking.result()


def test_of_a_database_that_is_away_not_made_or_of_another_shape_nothing_is_known(
    instance: dg.DagsterInstance, dagster_database: Database, database: Database
) -> None:
    assert daemon.read(None) is None
    assert daemon.read(Database("postgresql://nobody@127.0.0.1:9/none")) is None
    assert daemon.read(database) is None
    tick(instance, "one", (TickStatus.SUCCESS, NOW))
    with dagster_database.transaction() as session:
        session.execute(text("UPDATE instigators SET instigator_body = '[]'"))
    assert known(dagster_database).ticks == ()
