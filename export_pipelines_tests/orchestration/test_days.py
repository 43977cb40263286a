"""Exports of a day as partitions."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from export_pipelines.catalog.bulk_day_jsonl import BULK_DAY_JSONL
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DAY
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.metadata import asset_key

JOB = build_definitions().resolve_job_def(BULK_DAY_JSONL.job_name)
KEY = asset_key(BULK_DAY_JSONL)


def run(instance: dg.DagsterInstance, partition: str | None = None, **form: str) -> dg.ExecuteInProcessResult:
    config = {"ops": {"load_day": {"config": form}}}
    return JOB.execute_in_process(
        partition_key=partition, run_config=config, instance=instance, raise_on_error=False
    )  # fmt: skip


def test_a_partition_asks_for_no_form_and_is_materialized_under_its_day(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    assert run(instance, SHOWCASE_DAY).success
    [job] = jobs.list_jobs(deployment)
    assert (job.status, job.input["subject_id"], job.record_count) == (JobStatus.COMPLETED, SHOWCASE_DAY, 93)
    assert instance.get_materialized_partitions(KEY) == {SHOWCASE_DAY}


def test_an_export_that_was_asked_for_in_the_form_fills_its_partition_too(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    assert run(instance, day="2026-02-05", user=DEMO_USER_EMAIL).success
    assert instance.get_materialized_partitions(KEY) == {"2026-02-05"}


def test_a_form_that_names_another_day_than_the_partition_is_refused(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    failed = run(instance, SHOWCASE_DAY, day="2026-02-05")
    assert "leave the day empty" in str(failed.failure_data_for_node("load_day"))
    assert jobs.list_jobs(deployment) == ()


def test_the_partitions_begin_where_the_settings_say_and_end_yesterday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORT_PIPELINES_FIRST_DAY", "2026-03-01")
    partitions = build_definitions().resolve_job_def(BULK_DAY_JSONL.job_name).partitions_def
    assert partitions is not None
    keys = partitions.get_partition_keys(current_time=datetime(2026, 3, 4, 0, 1, tzinfo=UTC))
    assert list(keys) == ["2026-03-01", "2026-03-02", "2026-03-03"]
