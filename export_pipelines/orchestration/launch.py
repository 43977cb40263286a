"""Run exports' Dagster jobs from this process, for the command line: in it, or with large ones' steps beside it."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypedDict

import dagster as dg
from dagster_postgres.utils import DagsterPostgresException

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db.database import Database, dagster_database_url
from export_pipelines.orchestration.build import build_definitions, build_job_again
from export_pipelines.orchestration.executors import start_forking_quietly
from export_pipelines.orchestration.instance import prepare_instance
from export_pipelines.steps.run_config import run_config_for
from export_pipelines.steps.services import Services


class _How(TypedDict):
    """What both of Dagster's ways to execute a job take."""

    run_config: dict[str, Any]
    instance: dg.DagsterInstance
    raise_on_error: bool
    tags: dict[str, str]


@contextmanager
def dagster_ready(services: Services) -> Iterator[Callable[[ExportJob], str | None]]:
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
    prepare_instance(services.settings)
    with closing(Database(dagster_database_url(services.settings))) as database, _translated(database):
        if is_ours:
            # Dagster itself would try for a quarter of a minute before it says anything.
            with database.raw_connection():
                pass
        with dg.DagsterInstance.get() as instance:
            yield lambda job: _run(services, definitions, instance, job)


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    try:
        with database.translated():
            yield
    except DagsterPostgresException as error:
        raise DatabaseUnavailableError(
            f"Dagster's database {database.place} cannot be used: {error}. Check that it runs and its URL is right."
        ) from error


def _run(services: Services, definitions: dg.Definitions, instance: dg.DagsterInstance, job: ExportJob) -> str | None:
    run_config = {
        **run_config_for(services, job),
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    name = export_type(job.type).job_name
    how: _How = {
        "run_config": run_config,
        "instance": instance,
        "raise_on_error": False,
        "tags": {"export/job_id": job.id, "export/user_id": job.user_id},
    }
    if "execution" not in run_config:
        return _why_not(definitions.resolve_job_def(name).execute_in_process(**how))
    start_forking_quietly()
    # Its steps are processes of their own, which have to find the job by names.
    again = dg.build_reconstructable_job(build_job_again.__module__, build_job_again.__name__, (name,))
    with dg.execute_job(again, **how) as result:
        return _why_not(result)


def _why_not(result: dg.ExecuteInProcessResult | dg.JobExecutionResult) -> str | None:
    """Why the run failed; None when it did not.

    Raises:
        KeyboardInterrupt: somebody stopped it: Dagster makes a failure of Ctrl-C; for whoever pressed it, it is none.
    """
    if result.success:
        return None
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    errors = [data.error for data in failures]
    errors += [event.job_failure_data.error for event in result.all_events if event.is_job_failure]
    if any(error and error.cls_name == dg.DagsterExecutionInterruptedError.__name__ for error in errors):
        raise KeyboardInterrupt
    reasons = [data.user_failure_data.description for data in failures if data.user_failure_data]
    return next(filter(None, reasons), f"Dagster run {result.run_id} failed; its page says why.")
