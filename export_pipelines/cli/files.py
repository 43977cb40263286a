"""``export-pipelines jobs link``, ``delete`` and ``expire``: how long a file can be reached, and by whom."""

from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.db import jobs
from export_pipelines.steps import expiry, sharing
from export_pipelines.steps.retention import disposable
from export_pipelines.steps.services import Services

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The job's id, or the beginning of it.")]
ForOption = Annotated[str | None, typer.Option("--for", metavar="EMAIL", help="Whom the link is made for.")]
HoursOption = Annotated[
    int | None, typer.Option(min=1, max=168, help="How long the link lives; as long as the file without it.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would go, and change nothing.")]


def link(job_id: IdArgument, person: ForOption = None, hours: HoursOption = None) -> None:
    """Make a further link to a finished export's file, for anybody or for one user."""
    with session.services() as services:
        url = sharing.share(services, jobs.find(services.database, job_id), person=person, hours=hours)
        console.out.print(url, markup=False)


def delete(job_id: IdArgument, yes: YesOption = False) -> None:
    """Delete a job that is over, and its file; what happened to it stays in the audit log."""
    with session.services() as services:
        job = jobs.find(services.database, job_id)
        if not yes:
            typer.confirm(f"Delete job {job.id} ({job.title}) and its file?", abort=True, err=True)
        sharing.delete(services, job)
        console.out.print(f"job {job.id} is deleted")


def expire(dry_run: DryRunOption = False) -> None:
    """Expire every job whose time is over, and delete its file; links to it are refused already."""
    with session.services() as services:
        done = expiry.overdue(services) if dry_run else tuple(expiry.expire(services))
    for job in done:
        console.out.print(f"{job.id}  {console.shown(job.expires_at)}  {job.output_path}", markup=False)
    console.out.print(f"{len(done)} jobs {'would be' if dry_run else 'were'} expired")


def show_what_would_go(services: Services) -> None:
    """What a sweep would delete now: a line for each object, as it is found, for there may be many."""
    objects = size = 0
    expiring = expiry.overdue(services)
    for job in expiring:
        console.out.print(f"{job.output_path}  job {job.id} expired at {console.shown(job.expires_at)}", markup=False)
    for found in disposable(services):
        objects, size = objects + 1, size + found.size
        console.out.print(f"{found.key}  {console.bytes_shown(found.size)}  {found.reason}", markup=False)
    console.out.print(f"{objects} objects ({console.bytes_shown(size)}) and {len(expiring)} jobs' files would go")
