"""``export-pipelines export``: make a job, run it in this process, say where the file is."""

import secrets
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.bar import progress_bar
from export_pipelines.cli.queued import print_queued
from export_pipelines.core.deliveries import DeliveryState
from export_pipelines.core.errors import ExportPipelinesError, RequestError, ValidationError, WorkError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import deliveries, jobs
from export_pipelines.steps.orders import Of, Terms, Told, build_order
from export_pipelines.steps.resume import interrupted_like
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import COMMAND_LINE, submit
from export_pipelines.steps.upload import MANIFEST_SUFFIX
from export_pipelines.steps.users import default_user

TypeArgument = Annotated[str, typer.Argument(metavar="TYPE", help="Like BULK_CSV; any case. See the README's table.")]
RunOption = Annotated[str | None, typer.Option(help="Run: id, beginning of the id, or unique name; or @latest.")]
DayOption = Annotated[str | None, typer.Option(help="Day that is over, UTC, like 2026-03-01; or @yesterday.")]
DefinitionOption = Annotated[str | None, typer.Option(help="Definition: id, beginning of the id, or unique name.")]
PositionsOption = Annotated[str | None, typer.Option(help="Of the audit log: like 1-2000 or 1001-; all without it.")]
UserOption = Annotated[
    str | None,
    typer.Option(envvar="EXPORT_PIPELINES_USER", help="E-mail of the user it is for; the oldest user without it."),
]
HoursOption = Annotated[int, typer.Option(help="Hours that the file is kept, 1 to 168.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the type.")]
NotifyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--notify",
        metavar="RECIPIENT",
        help="Who is told when it has ended: an e-mail address, or webhook:NAME. More than once for several.",
    ),
]
AttachOption = Annotated[bool, typer.Option("--attach", help="With the file in the mail, when it is small enough.")]
NoLinkOption = Annotated[bool, typer.Option("--no-link", help="Without a download link in the messages.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder to copy the file and its manifest to.")]
QueueOption = Annotated[
    bool, typer.Option("--queue", help="Leave it to Dagster: print the job's id and return at once.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def export(  # noqa: PLR0913, PLR0917 - each is an option of the command
    type_name: TypeArgument,
    run_id: RunOption = None,
    definition_id: DefinitionOption = None,
    day: DayOption = None,
    positions: PositionsOption = None,
    user: UserOption = None,
    expiry_hours: HoursOption = 24,
    set_: SetOption = None,
    notify: NotifyOption = None,
    attach: AttachOption = False,
    no_link: NoLinkOption = False,
    out: OutOption = None,
    queue: QueueOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export a definition, a run, a day or the audit log to a file."""
    try:
        options = read_pairs(set_ or ())
        told = Told(recipients=notify or (), include_download_link=not no_link, attach_file=attach, named_by="--notify")
        check_folder(out, queue=queue)
        with session.services() as services:
            order = build_order(
                type_name,
                user=user or default_user(services),
                of=Of(run_id=run_id, definition_id=definition_id, day=day, positions=positions),
                terms=Terms(options=options, expiry_hours=expiry_hours),
                told=told,
            )
            if queue:
                print_queued(services, submit(services, order), as_json=as_json)
                return
            earlier = interrupted_like(services, order)
            job = carry_out(services, lambda: earlier or submit(services, order, claimed_by=COMMAND_LINE))
            copied = copy_out(services, job, out)
            say_who_is_told(services, job)
            report(services, job, copied, as_json=as_json)
    except ExportPipelinesError as error:
        if as_json:
            console.print_json({"error": str(error), "retryable": not isinstance(error, RequestError)})
        raise


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

    with dagster_ready(services) as run:
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
    # A name of our own, for somebody else may be copying a file of this name to this place.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.incomplete")
    try:
        with unfinished.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        unfinished.replace(path)
    except OSError as error:
        raise WorkError(
            f"job {job.id} is done, but {path} cannot be written: {error.strerror}. Copy it yourself from "
            f"{job.output_path} in the store, or export again with another --out."
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


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


def say_who_is_told(services: Services, job: ExportJob) -> None:
    """A note, where messages wait to be sent: this process sends none."""
    waiting = [
        delivery.recipient
        for delivery in deliveries.list_deliveries(services.database, job_id=job.id, state=DeliveryState.PENDING)
    ]
    if waiting:
        console.notes.print(
            f"messages to {', '.join(sorted(waiting))} are sent by Dagster's daemon within seconds, or now with "
            "`export-pipelines deliveries send`",
            markup=False,
        )


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
