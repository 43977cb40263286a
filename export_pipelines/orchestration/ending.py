"""How a run ends beside its last step: CANCELED with its job, or handing its place on to the next."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from export_pipelines.core.errors import ConflictError, ExportPipelinesError, SupersededError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.steps.queue import launch_waiting
from export_pipelines.steps.services import Services


@contextmanager
def canceled_with_its_job(context: dg.OpExecutionContext, database: Database, job_id: str) -> Iterator[None]:
    """Let a run whose job was cancelled end CANCELED, which Dagster makes of a run that fails while it is canceling."""
    try:
        yield
    except (SupersededError, ConflictError):
        if jobs.get(database, job_id).status is JobStatus.CANCELLED:
            context.instance.report_run_canceling(context.run, message=f"Export job {job_id} was cancelled.")
        raise


def hand_on(context: dg.OpExecutionContext, services: Services) -> None:
    """Launch whoever waits for the place that has just come free; the sensor does it where this cannot."""
    try:
        launched = launch_waiting(services, by=f"Dagster run {context.run.run_id}")
    except ExportPipelinesError as error:
        context.log.info("the queue is left to the sensor: %s", error)
        return
    if launched.trouble:
        context.log.info("the queue is left to the sensor: %s", launched.trouble)
