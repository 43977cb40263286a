"""The daily count as a Dagster job."""

import dagster as dg

from export_pipelines.db import jobs, usage
from export_pipelines.db.database import Database
from export_pipelines.orchestration.build import build_definitions
from export_pipelines_tests.db.rows import add_processing


def test_the_job_counts_what_ended_and_says_how_much(deployment: Database, instance: dg.DagsterInstance) -> None:
    job, ref = add_processing(deployment)
    jobs.fail(deployment, job_id=job.id, attempt=ref.attempt, error="no", now=job.updated_at)
    counting = build_definitions().resolve_job_def("count_usage_stats")
    result = counting.execute_in_process(instance=instance)
    (told,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    metadata = told.step_output_data.metadata
    assert (metadata["days_counted"].value, metadata["rows_written"].value) == (1, 1)
    (row,) = usage.list_stats(deployment)
    assert (row.user_id, row.type, row.failures, row.exports) == (job.user_id, job.type, 1, 0)
