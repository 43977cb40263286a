"""Which export job a Dagster run works on, and whether the run still has a say in it."""

from collections.abc import Iterable, Sequence

import dagster as dg

from export_pipelines.core.errors import NotFoundError
from export_pipelines.core.jobs import UNFINISHED, ExportJob
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.launching.requests import JOB_TAG, RUN_KEY_TAG

_KILLED = frozenset({"DagsterExecutionInterruptedError", "ChildProcessCrashException"})
"""What a step is said to have failed of when its process was told to end, or was killed."""


def jobs_of_run(database: Database, run: dg.DagsterRun) -> tuple[ExportJob, ...]:
    """The unfinished jobs that are in this run's hands: it works on them, or was launched to and has not begun."""
    begun = jobs.find_by_dagster_runs(database, [run.run_id])
    owned = [job for job in begun if job.status in UNFINISHED and (not job.waits or job.launch == 1)]
    promised = named_job(database, run)
    if promised is not None and promised.waits and run.tags.get(RUN_KEY_TAG) == promised.run_key:
        owned.append(promised)
    return tuple({job.id: job for job in owned}.values())


def named_job(database: Database, run: dg.DagsterRun) -> ExportJob | None:
    """The job that the run's tags name; None when they name none, or it is gone."""
    try:
        return jobs.get(database, run.tags[JOB_TAG]) if JOB_TAG in run.tags else None
    except NotFoundError:
        return None


def has_moved_on(job: ExportJob, run: dg.DagsterRun) -> bool:
    """Whether the job is unfinished, but another run has it, or will have it."""
    if job.status not in UNFINISHED:
        return False
    if job.waits:
        was_put_back = job.launch > 1 and run.run_id == job.dagster_run_id
        return was_put_back or run.tags.get(RUN_KEY_TAG, job.run_key) != job.run_key
    return job.dagster_run_id is not None and job.dagster_run_id != run.run_id


def was_lost(step_failures: Iterable[dg.DagsterEvent]) -> bool:
    """Whether a run failed because its processes went away, and not because a step of it did."""
    errors: Sequence[object] = [event.step_failure_data.error for event in step_failures]
    return all(getattr(error, "cls_name", None) in _KILLED for error in errors)
