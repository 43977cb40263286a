"""``export-pipelines jobs``: list, show, retry and cancel; and ``sweep``."""

from dataclasses import asdict
from typing import Annotated

import typer

from export_pipelines.catalog.types import export_type
from export_pipelines.cli import console, session
from export_pipelines.cli.deliveries import MANY, delivery_json, print_deliveries
from export_pipelines.cli.exports import JsonOption, carry_out, report
from export_pipelines.cli.files import DryRunOption, show_what_would_go
from export_pipelines.cli.queued import say_terminated
from export_pipelines.core.errors import ConflictError, ValidationError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, deliveries, events, jobs, leases
from export_pipelines.db.events import Event
from export_pipelines.steps.admit import require_admitted
from export_pipelines.steps.services import Services
from export_pipelines.steps.sweep import sweep

app = typer.Typer(help="Export jobs: list them, look at one, continue or cancel it.", invoke_without_command=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The job's id, or the beginning of it.")]
StatusOption = Annotated[str | None, typer.Option(help=f"Only these: {', '.join(JobStatus)}.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="Only exports of this type.")]
EventsOption = Annotated[bool, typer.Option("--events", help="With every event of its progress, not just the last.")]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="At most this many, newest first.")]
EVENT_COLUMNS = ("AT (UTC)", "ATTEMPT", "DONE", "ROWS", "BYTES", "EVENT")


@app.callback(invoke_without_command=True)
def list_jobs(
    context: typer.Context,
    status: StatusOption = None,
    type_name: TypeOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List export jobs, newest first."""
    if context.invoked_subcommand is not None:
        return
    wanted = None if status is None else _status(status)
    type_ = None if type_name is None else export_type(type_name).name
    with session.services() as services:
        found = jobs.list_jobs(services.database, status=wanted, type=type_, limit=limit)
        if as_json:
            console.print_json([_json(services, job) for job in found])
            return
        print_jobs(found)


def print_jobs(found: tuple[ExportJob, ...]) -> None:
    """The table of jobs."""
    rows = [
        (
            job.id,
            job.type,
            job.status,
            f"{job.progress_percent} %",
            job.record_count,
            console.bytes_shown(job.output_size_bytes),
            job.created_at,
            job.title,
        )
        for job in found
    ]
    columns = ("ID", "TYPE", "STATUS", "DONE", "RECORDS", "SIZE", "CREATED (UTC)", "TITLE")
    console.print_table(columns, rows, empty="No export jobs. Make one with `export-pipelines export TYPE ...`.")


@app.command()
def show(job_id: IdArgument, with_events: EventsOption = False, as_json: JsonOption = False) -> None:
    """Show one job whole, with its deliveries and its history."""
    with session.services() as services:
        job = jobs.find(services.database, job_id)
        row = _json(services, job)
        found = _events(services, job, whole=with_events)
        messages = deliveries.list_deliveries(services.database, job_id=job.id, limit=MANY)
        if as_json:
            told = {"deliveries": [delivery_json(message) for message in messages]}
            console.print_json(row | told | ({"events": [asdict(event) for event in found]} if with_events else {}))
            return
        console.print_fields(row)
        console.print_table(EVENT_COLUMNS, [_cells(event) for event in found], empty="No events of its progress.")
        asked = job.input.get("delivery")
        print_deliveries(messages, empty="Who is told hears when it ends." if asked else "Nobody is told of its end.")
        for entry in audit.list_for_job(services.database, job.id):
            console.out.print(f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.action}", markup=False)


@app.command()
def retry(job_id: IdArgument, as_json: JsonOption = False) -> None:
    """Continue a failed or interrupted job where it stopped."""
    with session.services() as services:
        job = jobs.find(services.database, job_id)
        if leases.is_held(services.database, job.id):
            raise ConflictError(f"job {job.id} is being worked on right now; wait for it or cancel it.")
        if job.status not in (JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.FAILED):
            raise ConflictError(f"job {job.id} is {job.status}; start a new export instead.")
        if job.status is JobStatus.PENDING:
            job = require_admitted(services, job)
        report(services, carry_out(services, lambda: job), None, as_json=as_json)


@app.command()
def cancel(job_id: IdArgument) -> None:
    """Cancel a job that is pending or being processed; whoever works on it stops within seconds."""
    with session.services() as services:
        job = jobs.cancel(services.database, jobs.find(services.database, job_id).id, now=session.now())
        if job.status is not JobStatus.CANCELLED:
            raise ConflictError(f"job {job.id} is {job.status}; there is nothing left to cancel.")
        console.out.print(f"job {job.id} is {job.status}")
        say_terminated(services, job)


def sweep_command(dry_run: DryRunOption = False) -> None:
    """Expire files whose time is over, fail jobs whose worker is dead, remove objects nobody needs."""
    with session.services() as services:
        if dry_run:
            show_what_would_go(services)
            return
        swept = sweep(services)
    console.out.print(
        f"{len(swept.expired)} jobs expired, {len(swept.lost)} jobs taken from dead workers, {swept.objects} staged "
        f"objects and {swept.orphans} orphaned files ({console.bytes_shown(swept.bytes)}) removed"
    )


def _status(text: str) -> JobStatus:
    try:
        return JobStatus(text.upper())
    except ValueError as error:
        raise ValidationError(f"status {text!r} is unknown; there are {', '.join(JobStatus)}.") from error


def _events(services: Services, job: ExportJob, *, whole: bool) -> tuple[Event, ...]:
    if whole:
        return events.list_events(services.database, job.id)
    last = events.last_event(services.database, job.id)
    return () if last is None else (last,)


def _cells(event: Event) -> tuple[object, ...]:
    percent, size = f"{event.progress_percent} %", console.bytes_shown(event.bytes_done)
    return (event.at, event.attempt, percent, event.rows_done, size, event.message)


def _json(services: Services, job: ExportJob) -> dict[str, object]:
    try:
        path = services.store.local_path(job.output_path) if job.output_path else None
    except ValidationError:
        # Plain SQL may state any path; the other jobs of the list are shown all the same.
        path = None
    return console.job_json(job, local_path=str(path) if path else None)
