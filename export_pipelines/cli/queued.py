"""What the command line does with a job that Dagster carries out: have it launched or terminated, and say so."""

from export_pipelines.cli import console
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs
from export_pipelines.steps.queue import launch_waiting, terminate_runs
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import COMMAND_LINE


def print_queued(services: Services, made: ExportJob, *, as_json: bool) -> None:
    """Launch the job if its turn has come, and print where it stands."""
    launched = launch_waiting(services, by=COMMAND_LINE)
    run_id = launched.runs.get(made.id)
    job = jobs.get(services.database, made.id)
    run = f"{services.settings.dagster_url}/runs/{run_id}" if run_id else None
    if as_json:
        console.print_json(console.job_json(job, local_path=None) | {"dagster_run_url": run})
    else:
        fields = {"job": job.id, "status": job.status, "run": run}
        console.print_fields({name: value for name, value in fields.items() if value})
    if run is None:
        console.notes.print(_why_not(job, launched.trouble), markup=False)


def _why_not(job: ExportJob, trouble: str | None) -> str:
    if job.claimed_by is not None:
        return f"Taken up already, by {job.claimed_by}."
    if trouble is None:
        return "As many exports run as may; it is launched as soon as its turn comes."
    return f"Not launched at once: {trouble}. It stays PENDING until the Dagster daemon finds it: seconds, if one runs."


def say_terminated(services: Services, job: ExportJob) -> None:
    """End the runs of a cancelled job, and say which."""
    ended = terminate_runs(services, job)
    for run_id in ended.runs:
        console.notes.print(f"terminated {services.settings.dagster_url}/runs/{run_id}", markup=False)
    if ended.trouble is not None:
        console.notes.print(f"its run ends by itself: {ended.trouble}", markup=False)
