"""Runs of the real jobs: launched from the form, failing, retried, executed again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from export_pipelines.catalog.bulk_csv import BULK_CSV
from export_pipelines.catalog.options import read_options
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.jobs import ExportRequest, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.lookup import find_user
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DAY, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.orchestration.build import build_definitions
from export_pipelines_tests.steps.orders import EVALUATION

DEFINITIONS = build_definitions(retry_delay_seconds=0.01)
SUBJECTS = {"run_id": SHOWCASE_RUN_ID, "definition_id": SHOWCASE_DEFINITION_ID, "day": SHOWCASE_DAY}


def run(instance: dg.DagsterInstance, type_name: str, **form: Any) -> dg.ExecuteInProcessResult:
    type_ = next(offered for offered in EXPORT_TYPES if offered.name == type_name)
    filled = {"user": DEMO_USER_EMAIL, type_.subject_field: SUBJECTS[type_.subject_field], **form}
    return DEFINITIONS.resolve_job_def(type_.job_name).execute_in_process(
        run_config={"ops": {f"load_{type_.subject}": {"config": filled}}}, instance=instance, raise_on_error=False
    )


@pytest.mark.parametrize("type_name", [type_.name for type_ in EVALUATION])
def test_a_filled_in_form_gives_a_completed_job(
    deployment: Database, instance: dg.DagsterInstance, type_name: str
) -> None:
    result = run(instance, type_name)
    assert result.success
    [job] = jobs.list_jobs(deployment)
    assert job.status is JobStatus.COMPLETED
    assert job.dagster_run_id == result.run_id
    tags = instance.get_run_by_id(result.run_id).tags  # type: ignore[union-attr]
    assert (tags["export/job_id"], tags["export/user_id"], tags["export/type"]) == (job.id, job.user_id, type_name)


def test_the_run_page_and_the_catalog_get_their_figures(deployment: Database, instance: dg.DagsterInstance) -> None:
    result = run(instance, "BULK_JSONL")
    [job] = jobs.list_jobs(deployment)
    [event] = result.get_asset_materialization_events()
    assert event.asset_key == dg.AssetKey(["exports", "bulk_jsonl"])
    shown = event.materialization.metadata
    assert shown["rows"].value == job.record_count
    assert shown["bytes"].value == job.output_size_bytes
    assert shown["link"].value == job.output_url
    assert shown["seconds"].value >= 0
    rendered = [event for event in result.all_node_events if event.step_key and "render" in event.step_key]
    assert len({event.step_key for event in rendered}) > 1


def test_a_wrong_form_fails_at_once_and_leaves_no_row(deployment: Database, instance: dg.DagsterInstance) -> None:
    result = run(instance, "BULK_CSV", run_id="cnosuchrun")
    assert not result.success
    assert result.retry_attempts_for_node("load_run") == 0
    assert "cnosuchrun" in str(result.failure_data_for_node("load_run"))
    assert jobs.list_jobs(deployment) == ()


def test_an_error_that_trying_again_cannot_mend_fails_the_row_at_once(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    result = run(instance, "BULK_CSV", strict=True)
    assert result.retry_attempts_for_node("package") == 0
    [job] = jobs.list_jobs(deployment)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert "strict" in job.error


def test_the_row_has_the_steps_own_message_when_dagster_notes_the_failure(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    result = run(instance, "BULK_CSV", strict=True)
    [job] = jobs.list_jobs(deployment)
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.user_failure_data is not None
    assert job.error == failure.step_failure_data.user_failure_data.description
    [record] = instance.get_records_for_run(result.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    assert job.updated_at.timestamp() <= record.timestamp


def test_a_record_that_cannot_be_handed_to_the_next_step_fails_the_row_at_once(
    deployment: Database, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "store" / "staging" / "dagster"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("in the way")
    assert not run(instance, "DEFINITION_MD").success
    [job] = jobs.list_jobs(deployment)
    assert job.status is JobStatus.FAILED
    assert "A file stands where a folder belongs" in str(job.error)


def test_no_step_writes_events_that_say_nothing(deployment: Database, instance: dg.DagsterInstance) -> None:
    result = run(instance, "DEFINITION_MD")
    assert result.success
    assert not [event for event in result.all_events if event.is_hook_event]


def test_a_store_that_is_away_is_tried_three_times_and_then_fails_the_row(
    deployment: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ExportRequest(
        type="BULK_CSV",
        subject_id=SHOWCASE_RUN_ID,
        user_id=find_user(deployment, DEMO_USER_EMAIL).id,
        options=read_options(BULK_CSV.options, {}),
    )
    job = jobs.create(deployment, request, now=datetime.now(UTC))
    # Nobody listens on port 9 (discard), so every call is refused at once.
    monkeypatch.setenv("EXPORT_PIPELINES_STORE_URL", "s3://exports/main")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    result = run(instance, "BULK_CSV", job_id=job.id)
    assert not result.success
    assert result.retry_attempts_for_node("load_run") == 2
    failed = jobs.get(deployment, job.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error
    assert "nothing" not in failed.error
    # Had a try that was not the last failed the row, the next one would have taken it up again.
    with deployment.raw_connection() as connection:
        told = connection.execute("SELECT action FROM exports.export_audit_logs WHERE action = 'failed'").fetchall()
    assert len(told) == 1


def test_execution_again_from_failure_reuses_what_was_frozen_and_gives_the_same_bytes(
    deployment: Database, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    final = tmp_path / "store" / "exports"
    final.parent.mkdir()
    final.write_text("in the way")
    failed = run(instance, "BULK_CSV")
    final.unlink()
    definition = DEFINITIONS.resolve_job_def("export_bulk_csv")
    options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
    with dg.execute_job(
        dg.reconstructable(rebuilt), instance=instance, reexecution_options=options, raise_on_error=True
    ) as again:
        assert again.success
    assert definition.name == "export_bulk_csv"
    [job] = jobs.list_jobs(deployment)
    assert (job.status, job.attempt) == (JobStatus.COMPLETED, 1)
    reference = run(instance, "BULK_CSV")
    assert reference.success
    assert {job.checksum for job in jobs.list_jobs(deployment)} == {job.checksum}


def rebuilt() -> dg.JobDefinition:
    """How Dagster finds the job again in another process."""
    return DEFINITIONS.resolve_job_def("export_bulk_csv")


def test_the_failure_sensor_fails_the_row_of_a_run_whose_process_died(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    from export_pipelines.orchestration.failures import fail_jobs_of_run

    run(instance, "BULK_CSV", strict=True)
    [job] = jobs.list_jobs(deployment)
    # Put back as a killed worker would have left it.
    with deployment.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET status = 'PROCESSING'")
        connection.commit()
    assert job.dagster_run_id is not None
    assert fail_jobs_of_run(deployment, job.dagster_run_id, "the worker was killed") == [job.id]
    assert jobs.get(deployment, job.id).error == "the worker was killed"
