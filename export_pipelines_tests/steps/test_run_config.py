"""What a job's run is launched with: its id, and several processes where the shards are worth it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from export_pipelines.catalog.export_type import Streamed
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.steps.run_config import run_config_for
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.orders import order

OF_RUNS = [type_ for type_ in EXPORT_TYPES if type_.subject_field == "run_id"]
PROCESSES = {"config": {"multiprocess": {}}}


@pytest.fixture
def services(tmp_path: Path, seeded_database: Database) -> Services:
    settings = Settings(home=tmp_path, shard_bytes=40_000, parallel_shards=4)
    store = LocalStore(tmp_path / "store")
    return Services(database=seeded_database, store=store, settings=settings, clock=lambda: datetime.now(UTC))


def config(services: Services, type_name: str, **settings: Any) -> dict[str, Any]:
    changed = replace(services, settings=replace(services.settings, **settings))
    job = submit(changed, order(type_name))
    found = run_config_for(changed, job)
    definition = build_definitions().resolve_job_def(f"export_{type_name.lower()}")
    assert dg.validate_run_config(definition, found)
    assert next(iter(found["ops"].values())) == {"config": {"job_id": job.id}}
    return found


@pytest.mark.parametrize("type_name", [type_.name for type_ in OF_RUNS if type_.streamed is not Streamed.ALWAYS])
def test_many_shards_are_rendered_by_several_processes(services: Services, type_name: str) -> None:
    assert config(services, type_name)["execution"] == PROCESSES


@pytest.mark.parametrize("type_name", [type_.name for type_ in OF_RUNS if type_.streamed is Streamed.ALWAYS])
def test_what_is_rendered_as_it_comes_stays_in_one_process(services: Services, type_name: str) -> None:
    assert "execution" not in config(services, type_name, shard_bytes=1)


def test_few_shards_stay_in_one_process_and_how_many_are_few_is_a_setting(services: Services) -> None:
    assert "execution" not in config(services, "RUN_BUNDLE", parallel_shards=5)
    assert "execution" not in config(services, "RUN_BUNDLE", shard_bytes=64 << 20)
    assert "execution" in config(services, "RUN_BUNDLE", shard_bytes=64 << 20, parallel_shards=1)
    assert "execution" not in config(services, "DEFINITION_MD")


def test_a_deployment_of_one_process_is_not_asked_for_more(services: Services) -> None:
    assert "execution" not in config(services, "RUN_BUNDLE", executor="in_process")


def test_a_database_that_cannot_be_asked_keeps_no_run_from_being_launched(services: Services) -> None:
    job = submit(services, order("RUN_BUNDLE"))
    with services.database.raw_connection() as connection:
        connection.execute("LOCK TABLE evaluation.transcripts")
        assert run_config_for(services, job) == {"ops": {"load_run": {"config": {"job_id": job.id}}}}


def test_a_run_that_is_gone_is_launched_all_the_same_and_says_so_itself(services: Services) -> None:
    job = submit(services, order("RUN_BUNDLE"))
    with services.database.raw_connection() as connection:
        connection.execute("UPDATE evaluation.transcripts SET deleted_at = now()")
        connection.commit()
    assert "execution" not in run_config_for(services, job)
