"""``export-pipelines audit``: list the log, verify its chain, sign checkpoints, export it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from export_pipelines.cli import console, exports, session
from export_pipelines.cli.exports import JsonOption
from export_pipelines.cli.verifying import KeyOption, trusted_keys
from export_pipelines.core.audit import Checkpoint
from export_pipelines.core.errors import ConflictError, IntegrityError, NotFoundError, ValidationError, WorkError
from export_pipelines.db.audit import AuditEntry, list_newest
from export_pipelines.db.tables import ACTIONS
from export_pipelines.packaging import checkpoints
from export_pipelines.steps.audit import Audited, all_checkpoints, sign_checkpoint, verify_file, verify_log

app = typer.Typer(help="The audit log: list it, verify it, sign where it ends, export it.", no_args_is_help=True)

JobOption = Annotated[str | None, typer.Option("--job", metavar="ID", help="Only this job's, by its whole id.")]
ActionOption = Annotated[str | None, typer.Option(help=f"Only these: {', '.join(ACTIONS)}.")]
LimitOption = Annotated[int, typer.Option(min=1, max=100_000, help="At most this many, newest first.")]
FileArgument = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="An exported log, checked without the database; else the log.")
]
CheckpointsOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoints", metavar="FILE", help="Checkpoints that were kept elsewhere, from `audit checkpoint --out`."
    ),
]
OutFileOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write all checkpoints there, to be kept somewhere else.")
]
COLUMNS = ("POSITION", "AT (UTC)", "ACTION", "JOB", "USER", "ADDRESS", "DATA")


@app.command(name="list")
def list_(
    job_id: JobOption = None, action: ActionOption = None, limit: LimitOption = 50, as_json: JsonOption = False
) -> None:
    """List what happened, newest first."""
    if action is not None and action not in ACTIONS:
        raise ValidationError(f"action {action!r} is unknown; there are {', '.join(ACTIONS)}.")
    with session.database() as database:
        found = list_newest(database, job_id=job_id, action=action, limit=limit)
    if as_json:
        console.print_json([asdict(entry) for entry in found])
        return
    console.print_table(COLUMNS, [_cells(entry) for entry in found], empty="Nothing of that kind has happened.")


@app.command()
def verify(file: FileArgument = None, kept_in: CheckpointsOption = None, public_key: KeyOption = None) -> None:
    """Check that the log is what was written; exit status 1 names the first row that is not."""
    keys = trusted_keys(public_key)
    kept = () if kept_in is None else checkpoints.read(_read(kept_in), where=str(kept_in))
    if file is not None:
        _tell(verify_file(file, keys=keys, kept=kept), str(file))
        return
    with session.database() as database:
        _tell(verify_log(database, keys=keys, kept=kept), "the audit log")


@app.command()
def checkpoint(out: OutFileOption = None, as_json: JsonOption = False) -> None:
    """Sign where the log ends now; a schedule in Dagster does so every hour."""
    with session.services() as services:
        signed = sign_checkpoint(services)
        if signed is None:
            raise ConflictError("the audit log has no rows yet, so there is nothing to sign.")
        if out is not None:
            _write(out, all_checkpoints(services.database))
    if as_json:
        console.print_json(asdict(signed))
        return
    console.print_fields(asdict(signed))


@app.command(name="export")
def export_(
    positions: exports.PositionsOption = None,
    user: exports.UserOption = None,
    expiry_hours: exports.HoursOption = 24,
    set_: exports.SetOption = None,
    out: exports.OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export the log to a file, like any other export: it has a manifest, expires, and is in the log itself."""
    exports.export(
        "AUDIT_JSONL",
        positions=positions,
        user=user,
        expiry_hours=expiry_hours,
        set_=set_,
        out=out,
        as_json=as_json,
    )


def _tell(found: Audited, what: str) -> None:
    for problem in found.problems:
        console.out.print(problem, markup=False)
    if found.problems:
        good = f"rows up to position {found.end.position} are as they were written" if found.rows else "no row is good"
        raise IntegrityError(f"{what} is not what was written; {good}, but see above.")
    console.out.print(f"ok: {found.rows} rows, the last at position {found.end.position}", markup=False)
    if found.agreeing:
        console.out.print(f"ok: {found.agreeing} signed checkpoints agree, the last at position {found.signed}")
    else:
        console.notes.print("note: no signed checkpoint vouches for these rows; `audit checkpoint` signs one")
    if found.uncovered:
        console.notes.print(f"note: {found.uncovered} checkpoints are of rows that are not in the file")


def _cells(entry: AuditEntry) -> tuple[object, ...]:
    actor = entry.actor
    return (entry.position, entry.at, entry.action, entry.job_id, actor.user_id, actor.address, dict(entry.data))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} is not there.") from error
    except OSError as error:
        raise ValidationError(f"{path} cannot be read: {error.strerror}.") from error


def _write(path: Path, signed: tuple[Checkpoint, ...]) -> None:
    try:
        path.write_bytes(checkpoints.write(signed))
    except OSError as error:
        raise WorkError(f"the checkpoint is signed, but {path} cannot be written: {error.strerror}.") from error
