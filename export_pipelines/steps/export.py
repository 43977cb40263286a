"""A whole export without Dagster: the five steps in a row, for scripts, tests and benchmarks."""

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs, leases
from export_pipelines.steps.begin import begin
from export_pipelines.steps.load import load
from export_pipelines.steps.package import package
from export_pipelines.steps.record import record
from export_pipelines.steps.render import render
from export_pipelines.steps.services import Services
from export_pipelines.steps.upload import upload

SECONDS_TO_LET_GO = 2
"""The server notices a killed worker when the kernel has closed its connection: soon, but not at once."""


def run_export(services: Services, job_id: str, *, alone: bool = True) -> ExportJob:
    """Carry the job out, from wherever an earlier try left it.

    Args:
        services: collaborators.
        job_id: which.
        alone: False goes the way of a run of several processes, to whose steps shards are handed.

    Raises:
        ConflictError: somebody else works on it; the row is left alone.
        ExportPipelinesError: it failed; the row is FAILED with the same message, unless the job moved on.
    """
    with leases.hold(services.database, job_id, exclusive=True, wait_seconds=SECONDS_TO_LET_GO):
        job = begin(services, job_id, dagster_run_id=None)
        try:
            type_ = export_type(job.type)
            frozen = load(services, type_, job, alone=alone)
            parts = [render(services, type_, task) for task in frozen.tasks()]
            return record(services, upload(services, package(services, type_, frozen, parts)))
        except ExportPipelinesError as error:
            jobs.fail(services.database, job_id=job.id, attempt=job.attempt, error=str(error), now=services.clock())
            raise
