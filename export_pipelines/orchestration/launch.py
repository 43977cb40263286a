"""Run exports' Dagster jobs in this process, for the command line."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import dagster as dg
from dagster_postgres.utils import DagsterPostgresException

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database, dagster_database_url
from export_pipelines.orchestration.build import build_definitions
from export_pipelines.orchestration.instance import prepare_instance


@contextmanager
def dagster_ready(settings: Settings) -> Iterator[Callable[[ExportJob], str | None]]:
    """A function that carries a job out as a Dagster run, which the UI shows like any other, and says why it failed.

    What is wrong with Dagster's settings or its database shows on entry, before there is a job to be left behind.

    Raises:
        ValidationError: a setting cannot be used.
        DatabaseUnavailableError: Dagster's database is away, or went away meanwhile.
    """
    # The terminal belongs to the progress bar; the run's log is in the UI.
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    definitions = build_definitions()
    is_ours = not os.environ.get("DAGSTER_HOME")
    prepare_instance(settings)
    with closing(Database(dagster_database_url(settings))) as database, _translated(database):
        if is_ours:
            # Dagster itself would try for a quarter of a minute before it says anything.
            with database.raw_connection():
                pass
        with dg.DagsterInstance.get() as instance:
            yield lambda job: _run(definitions, instance, job)


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    try:
        with database.translated():
            yield
    except DagsterPostgresException as error:
        raise DatabaseUnavailableError(
            f"Dagster's database {database.place} cannot be used: {error}. Check that it runs and its URL is right."
        ) from error


def _run(definitions: dg.Definitions, instance: dg.DagsterInstance, job: ExportJob) -> str | None:
    type_ = export_type(job.type)
    run_config = {
        "ops": {f"load_{type_.subject}": {"config": {"job_id": job.id}}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    result = definitions.resolve_job_def(type_.job_name).execute_in_process(
        run_config=run_config,
        instance=instance,
        raise_on_error=False,
        tags={"export/job_id": job.id, "export/user_id": job.user_id},
    )
    if result.success:
        return None
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    if any(data.error and data.error.cls_name == dg.DagsterExecutionInterruptedError.__name__ for data in failures):
        # Dagster has made a failure of Ctrl-C; for whoever pressed it, it is none.
        raise KeyboardInterrupt
    reasons = [data.user_failure_data.description for data in failures if data.user_failure_data]
    return next(filter(None, reasons), f"Dagster run {result.run_id} failed; its page says why.")
