"""The run config of a job that exists: which job it is, and how its steps are executed."""

from typing import Any

from export_pipelines.catalog.export_type import Streamed
from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import UnavailableError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.settings import CHOOSING
from export_pipelines.db.jobs import request_of
from export_pipelines.steps.estimate import estimate, shards_of
from export_pipelines.steps.services import Services


def run_config_for(services: Services, job: ExportJob) -> dict[str, Any]:
    """What Dagster is to be launched with for this job, whoever launches it.

    A run says ``multiprocess`` when it will have shards enough to render beside each other that starting processes is
    worth it. What always renders its rows as they come has none, and a deployment that knows one executor is not asked.
    """
    type_ = export_type(job.type)
    config: dict[str, Any] = {"ops": {f"load_{type_.subject}": {"config": {"job_id": job.id}}}}
    if (
        services.settings.executor == CHOOSING
        and type_.streamed is not Streamed.ALWAYS
        and _has_many_shards(services, job)
    ):
        config["execution"] = {"config": {"multiprocess": {}}}
    return config


def _has_many_shards(services: Services, job: ExportJob) -> bool:
    try:
        expected = estimate(services, export_type(job.type), request_of(job).subject_id)
    except UnavailableError:
        # The run meets the same database, waits for it and says what is wrong; here it is no reason to launch none.
        return False
    return shards_of(services, expected) >= services.settings.parallel_shards
