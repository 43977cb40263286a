"""The run's log says how a long step comes along, and nothing of short ones."""

import time
from typing import Any

import dagster as dg
import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.orchestration.progress import teller
from export_pipelines.steps import progress
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.db.rows import add_processing, later
from export_pipelines_tests.orchestration.test_runs import run


def lines(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [entry.user_message for entry in instance.all_logs(run_id) if " % of job " in entry.user_message]


def test_short_steps_log_no_progress(deployment: Database, instance: dg.DagsterInstance) -> None:
    assert lines(instance, run(instance, "BULK_JSONL").run_id) == []


def test_long_steps_log_phase_percent_rows_rate_and_finish(
    deployment: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.1)
    monkeypatch.setattr(progress, "TELL_SECONDS", 0.0)
    publish = LocalStore.compose

    def publish_slowly(*arguments: Any, **keywords: Any) -> None:
        time.sleep(1.0)
        publish(*arguments, **keywords)

    monkeypatch.setattr(LocalStore, "compose", publish_slowly)
    result = run(instance, "RUN_BUNDLE")
    assert result.success
    [job] = jobs.list_jobs(deployment)
    assert job.status is JobStatus.COMPLETED
    logged = lines(instance, result.run_id)
    assert any(line.startswith("publishing: 95 %") for line in logged)
    assert all(f"% of job {job.id}, " in line and " MB/s, estimated finish " in line for line in logged)


def test_a_line_tells_all_that_the_row_knows(database: Database) -> None:
    said: list[str] = []

    class Log:
        def info(self, text: str, *values: object) -> None:
            said.append(text % values)

    class Context:
        log = Log()

    _, ref = add_processing(database)
    phase = progress.Phase(name="freezing rows", begin=0, end=40)
    half = progress.Report(phase=phase, message="m", rows_done=50, rows_total=100, bytes_done=25_000_000)
    job = jobs.report_progress(database, ref, half, now=later(seconds=10))
    teller(Context())(job, "freezing rows")  # type: ignore[arg-type]
    assert said == [
        f"freezing rows: 20 % of job {job.id}, 50 of 100 rows, 25.0 MB, 2.5 MB/s, estimated finish 12:00:50 UTC"
    ]
