"""``export-pipelines db``: the embedded server, migrations, seed data."""

from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.core.errors import DatabaseUnavailableError, ValidationError, WorkError
from export_pipelines.core.settings import Settings
from export_pipelines.db import embedded, migrate
from export_pipelines.db.database import Database
from export_pipelines.db.scratch import rehearse, scratch
from export_pipelines.db.seed import seed as seed_data

NAME = "export_pipelines"

app = typer.Typer(help="The embedded server, migrations and seed data.", no_args_is_help=True)

StepsOption = Annotated[int, typer.Option(min=1, help="How many migrations to take back.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def start() -> None:
    """Start the embedded server and print its URL; it keeps running until `db stop`."""
    chosen = _embedded_only()
    server = embedded.ensure_running(chosen.home, os_user=chosen.db_os_user)
    console.out.print(server.libpq_url(NAME), markup=False)


@app.command()
def stop() -> None:
    """Stop the embedded server; a stopped one stays stopped."""
    stopped = embedded.stop(_embedded_only().home)
    console.out.print("stopped" if stopped else "was not running")


@app.command()
def remove(yes: YesOption = False) -> None:
    """Stop the embedded server and delete all its data."""
    chosen = _embedded_only()
    if not yes:
        typer.confirm("Delete the embedded server's data, all of it?", abort=True)
    embedded.remove(chosen.home)
    console.out.print("removed")


@app.command()
def status() -> None:
    """Say whether the embedded server runs; exit status 1 when it does not."""
    server = embedded.status(_embedded_only().home)
    if server is None:
        raise DatabaseUnavailableError("the embedded server does not run; `export-pipelines db start` starts it.")
    console.print_fields({"url": server.libpq_url(NAME), "data": server.data_dir})


@app.command()
def url() -> None:
    """Print the database's URL, for psql or a notebook."""
    with session.database() as database:
        console.out.print(_libpq_url(database), markup=False)


@app.command(name="migrate")
def migrate_() -> None:
    """Bring the tables to the newest version."""
    with session.database() as database:
        migrate.upgrade(database)
        console.out.print(f"database is at {migrate.current(database)}")


@app.command()
def rollback(steps: StepsOption = 1) -> None:
    """Take migrations back, newest first."""
    with session.database() as database:
        migrate.downgrade(database, steps=steps)
        console.out.print(f"database is at {migrate.current(database) or 'no migration'}")


@app.command()
def seed() -> None:
    """Fill in the example data; a second time changes nothing."""
    with session.database() as database:
        summary = seed_data(database)
    counts = ", ".join(f"{count} {table}" for table, count in summary.counts.items())
    console.out.print(f"{summary.created} rows created; there are {counts}")


@app.command()
def check() -> None:
    """Run all migrations up, down and up in a scratch database and compare it with the models."""
    with session.database() as database, scratch(database) as empty:
        problems = rehearse(empty)
    for problem in problems:
        console.out.print(problem, markup=False)
    if problems:
        raise WorkError(f"{len(problems)} differences between migrations and models; write a migration for them.")
    console.out.print("migrations and models agree")


def _libpq_url(database: Database) -> str:
    """Without SQLAlchemy's driver, which psql does not know."""
    return "postgresql" + database.url.removeprefix("postgresql+psycopg")


def _embedded_only() -> Settings:
    chosen = session.settings()
    if chosen.database_url is not None:
        raise ValidationError("EXPORT_PIPELINES_DATABASE_URL is set, so there is no embedded server here; unset it.")
    return chosen
