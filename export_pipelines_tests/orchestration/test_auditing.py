"""The checkpoint of every hour, as Dagster takes it."""

import dagster as dg

from export_pipelines.db import audit
from export_pipelines.db.database import Database
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.steps.audit import all_checkpoints
from export_pipelines_tests.audit_logs import tamper
from export_pipelines_tests.db.rows import NOW


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = build_definitions().resolve_job_def("sign_audit_checkpoint")
    return job.execute_in_process(instance=instance, raise_on_error=False)


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    [event] = [event for event in result.all_node_events if event.is_successful_output]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def test_it_signs_what_came_notes_it_with_the_run_and_fails_on_a_damaged_log(
    deployment: Database, instance: dg.DagsterInstance
) -> None:
    assert metadata(run(instance)) == {"rows": 0}
    with deployment.transaction() as session:
        audit.record(session, job_id="cjob", action="shared", at=NOW)
    noted = metadata(run(instance))
    [signed] = all_checkpoints(deployment)
    assert (noted["position"], noted["hash"], noted["signature"]) == (1, signed.hash, signed.signature)
    tamper(deployment, "DELETE FROM {log}")
    failed = run(instance)
    assert not failed.success
    assert "The audit log is damaged" in str(failed.failure_data_for_node("sign_checkpoint"))
