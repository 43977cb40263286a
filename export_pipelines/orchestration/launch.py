"""Run an export's Dagster job in this process, for the command line."""

import logging

import dagster as dg

from export_pipelines.catalog.types import export_type
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.settings import Settings
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.instance import prepare_instance


def run_in_process(settings: Settings, job: ExportJob) -> bool:
    """Carry the job out as a Dagster run that the UI shows like any other.

    Returns:
        Whether the run succeeded; the job's row says what came of it.
    """
    prepare_instance(settings)
    # The terminal belongs to the progress bar; the run's log is in the UI.
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    type_ = export_type(job.type)
    definition = build_definitions().resolve_job_def(type_.job_name)
    run_config = {
        "ops": {f"load_{type_.subject}": {"config": {"job_id": job.id}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    with dg.DagsterInstance.get() as instance:
        result = definition.execute_in_process(
            run_config=run_config,
            instance=instance,
            raise_on_error=False,
            tags={"export/job_id": job.id, "export/user_id": job.user_id},
        )
        return result.success
