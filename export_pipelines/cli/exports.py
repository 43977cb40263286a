"""``export-pipelines export``: make a job, run it in this process, say where the file is."""

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.bar import progress_bar
from export_pipelines.cli.queued import print_queued
from export_pipelines.core.errors import ExportPipelinesError, RequestError, ValidationError, WorkError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.evaluation import users
from export_pipelines.steps.resume import interrupted_like
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import COMMAND_LINE, Order, submit
from export_pipelines.steps.upload import MANIFEST_SUFFIX

TypeArgument = Annotated[str, typer.Argument(metavar="TYPE", help="Like BULK_CSV; any case. See the README's table.")]
RunOption = Annotated[str | None, typer.Option(help="Run: id, beginning of the id, or unique name.")]
DefinitionOption = Annotated[str | None, typer.Option(help="Definition: id, beginning of the id, or unique name.")]
UserOption = Annotated[
    str | None,
    typer.Option(envvar="EXPORT_PIPELINES_USER", help="E-mail of the user it is for; the oldest user without it."),
]
HoursOption = Annotated[int, typer.Option(help="Hours that the file is kept, 1 to 168.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the type.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder to copy the file and its manifest to.")]
QueueOption = Annotated[
    bool, typer.Option("--queue", help="Leave it to Dagster: print the job's id and return at once.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def export(  # noqa: PLR0913, PLR0917 - a command's options are its form
    type_name: TypeArgument,
    run_id: RunOption = None,
    definition_id: DefinitionOption = None,
    user: UserOption = None,
    expiry_hours: HoursOption = 24,
    set_: SetOption = None,
    out: OutOption = None,
    queue: QueueOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export a definition or a run to a file."""
    try:
        options = read_pairs(set_ or ())
        check_folder(out, queue=queue)
        with session.services() as services:
            order = Order(
                type=type_name,
                user=user or oldest_user(services),
                run_id=run_id,
                definition_id=definition_id,
                expiry_hours=expiry_hours,
                options=options,
            )
            if queue:
                print_queued(services, submit(services, order), as_json=as_json)
                return
            earlier = interrupted_like(services, order)
            job = carry_out(services, lambda: earlier or submit(services, order, claimed_by=COMMAND_LINE))
            copied = copy_out(services, job, out)
            report(services, job, copied, as_json=as_json)
    except ExportPipelinesError as error:
        if as_json:
            console.print_json({"error": str(error), "retryable": not isinstance(error, RequestError)})
        raise


def oldest_user(services: Services) -> str:
    """The id of the user who was there first: on a machine of one's own there often is no other.

    Raises:
        ValidationError: there are no users at all.
    """
    everybody = users.list_all(services.database)
    if not everybody:
        raise ValidationError("there are no users yet; `export-pipelines db seed` makes some, with example data.")
    return min(everybody, key=lambda user: (user.created_at, user.id)).id


def read_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """``key=value`` texts as a mapping.

    Raises:
        ValidationError: a text has no ``=``, or a key comes twice.
    """
    options: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key or key in options:
            raise ValidationError(f"--set {pair!r} is not key=value, or its key comes twice.")
        options[key] = value
    return options


def check_folder(folder: Path | None, *, queue: bool = False) -> None:
    """Refuse an ``--out`` that cannot take files, before anything starts."""
    if folder is not None and queue:
        raise ValidationError(
            "--queue returns before there is a file; take it later from the job's link, without --out."
        )
    if folder is not None and not folder.is_dir():
        raise ValidationError(f"--out {folder} is not a folder; create it first or name another.")


def carry_out(services: Services, get_job: Callable[[], ExportJob]) -> ExportJob:
    """Run a job's Dagster run in this process; the job as it ended.

    ``get_job`` is asked when Dagster is ready, so that no job is made that cannot be begun.

    Raises:
        WorkError: the run failed without a word on the row; the job may be in somebody else's hands.
    """
    # Dagster takes most of a second to import; only commands that export wait for it.
    from export_pipelines.orchestration.launch import dagster_ready  # noqa: PLC0415

    with dagster_ready(services.settings) as run:
        job = get_job()
        if job.status is not JobStatus.PENDING:
            how = "failed" if job.status is JobStatus.FAILED else "was interrupted"
            console.notes.print(f"continuing job {job.id}, which {how}", markup=False)
        with progress_bar(services, job):
            reason = run(job)
    ended = jobs.get(services.database, job.id)
    if reason and ended.status in (JobStatus.PENDING, JobStatus.PROCESSING):
        raise WorkError(f"job {job.id} was not carried out here: {reason}")
    return ended


def copy_out(services: Services, job: ExportJob, folder: Path | None) -> Path | None:
    """Copy file and sidecar into the folder; the file's path there.

    Raises:
        WorkError: the folder does not take them; the export itself is done.
    """
    if folder is None or job.status is not JobStatus.COMPLETED or job.output_path is None:
        return None
    target = folder / Path(job.output_path).name
    for key, path in (
        (job.output_path + MANIFEST_SUFFIX, Path(f"{target}{MANIFEST_SUFFIX}")),
        (job.output_path, target),
    ):
        with services.store.open(key) as source:
            _copy(source, path, job)
    return target


def _copy(source: BinaryIO, path: Path, job: ExportJob) -> None:
    unfinished = path.with_name(f".{path.name}.incomplete")
    try:
        with unfinished.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise WorkError(
            f"job {job.id} is done, but {path} cannot be written: {error.strerror}. Copy it yourself from "
            f"{job.output_path} in the store, or export again with another --out."
        ) from error


def report(services: Services, job: ExportJob, copied: Path | None, *, as_json: bool) -> None:
    """Say how the job ended; a failed one ends the command with status 1."""
    stored = services.store.local_path(job.output_path) if job.output_path else None
    path = copied or stored
    if as_json:
        console.print_json(console.job_json(job, local_path=str(path.absolute()) if path else None))
    if job.status is not JobStatus.COMPLETED:
        if as_json:
            sys.exit(1)
        raise WorkError(f"job {job.id} is {job.status}: {job.error or 'no reason was recorded'}")
    if not as_json:
        print_done(job, path)


def print_done(job: ExportJob, path: Path | None) -> None:
    """The last lines on a terminal: file, size, link, and every loss."""
    fields: dict[str, object] = {
        "job": job.id,
        "file": path or job.output_path,
        "size": f"{console.bytes_shown(job.output_size_bytes)}, {job.record_count} records",
        "sha256": job.checksum,
        "link": job.output_url,
        "expires": f"{job.expires_at:%Y-%m-%d %H:%M} UTC" if job.expires_at else None,
    }
    console.print_fields(fields)
    for note in job.fidelity:
        count = f" ({note['count']} times)" if note["count"] != 1 else ""
        console.out.print(f"note: {note['where']}: {note['detail']}{count}", markup=False)
