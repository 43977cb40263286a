"""The command ``export-pipelines``: assembles the subcommands and turns errors into one line and an exit status."""

import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from export_pipelines.cli import (
    audit,
    console,
    database,
    deliveries,
    demo,
    exports,
    files,
    imports,
    jobs,
    keys,
    schedules,
    serving,
    shares,
    subscriptions,
    usage,
    users,
    verifying,
    webhooks,
)
from export_pipelines.core.errors import ExportPipelinesError, RequestError

FAILED = 1
WRONG_REQUEST = 2
INTERRUPTED = 130

app = typer.Typer(
    name="export-pipelines",
    help="Turn a team's PostgreSQL data into consistent, complete, reproducible, expiring, audited files.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("export")(exports.export)
app.add_typer(jobs.app, name="jobs")
for command in (files.link, files.delete, files.expire, shares.share, shares.unshare):
    jobs.app.command()(command)
jobs.app.command("shares")(shares.list_shares)
app.add_typer(schedules.app, name="schedules")
app.add_typer(subscriptions.app, name="subscriptions")
app.add_typer(usage.app, name="usage")
app.command("verify")(verifying.verify)
app.add_typer(keys.app, name="keys")
app.add_typer(users.app, name="users")
app.add_typer(audit.app, name="audit")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(imports.app, name="import")
app.add_typer(database.app, name="db")
app.command("sweep")(jobs.sweep_command)
app.command("serve")(serving.serve)
app.command("dev")(serving.dev)
app.command("demo")(demo.demo)


def run() -> NoReturn:
    """Entry point: exit status 0 done, 1 it failed, 2 the request was wrong."""
    console.show_any_text()
    try:
        status = app(standalone_mode=False)
    except TyperException as error:
        _say(_usage(error))
        sys.exit(error.exit_code)
    except RequestError as error:
        _say(str(error))
        sys.exit(WRONG_REQUEST)
    except ExportPipelinesError as error:
        _say(str(error))
        sys.exit(FAILED)
    except OSError as error:
        # Files and stores have errors of ours by now; what is left are our own output streams: full, or closed.
        where = f"{error.filename}: " if error.filename else ""
        _say(f"cannot go on: {where}{error.strerror or error}")
        sys.exit(FAILED)
    except typer.Abort:
        _say("nothing was done, since nobody said yes")
        sys.exit(FAILED)
    if status == INTERRUPTED:
        _say("interrupted")
    sys.exit(status or 0)


def _usage(error: TyperException) -> str:
    """What is wrong with the arguments, in one line; empty when the command's help is on the screen already."""
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else app.info.name
    return f"{message}. See: {command} --help" if message else ""


def _say(reason: str) -> None:
    if reason:
        console.notes.print(f"error: {reason}", markup=False)
