"""The command ``export-pipelines``: assembles the subcommands and turns errors into one line and an exit status."""

import sys
from typing import NoReturn

import typer

from export_pipelines.cli import database, demo, exports, imports, jobs, serving, verifying
from export_pipelines.cli.console import notes
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
app.command("verify")(verifying.verify)
app.add_typer(imports.app, name="import")
app.add_typer(database.app, name="db")
app.command("sweep")(jobs.sweep_command)
app.command("serve")(serving.serve)
app.command("dev")(serving.dev)
app.command("demo")(demo.demo)


def run() -> NoReturn:
    """Entry point: exit status 0 done, 1 it failed, 2 the request was wrong."""
    try:
        app(standalone_mode=True)
    except RequestError as error:
        _say(error)
        sys.exit(WRONG_REQUEST)
    except ExportPipelinesError as error:
        _say(error)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        notes.print("interrupted")
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _say(error: ExportPipelinesError) -> None:
    notes.print(f"error: {error}", markup=False)
