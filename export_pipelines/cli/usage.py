"""``export-pipelines usage``: who exported how much, by day."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.exports import JsonOption
from export_pipelines.core.usage import UsageStats
from export_pipelines.db import usage
from export_pipelines.db.evaluation import lookup, users

app = typer.Typer(help="Who exported how much, by day.", no_args_is_help=True)

OnlyUserOption = Annotated[str | None, typer.Option("--user", help="Only this user: e-mail address or id.")]
DaysOption = Annotated[int, typer.Option(min=1, max=36_500, help="How many days back, today included.")]
COLUMNS = ("DAY (UTC)", "USER", "TYPE", "EXPORTS", "FAILED", "ROWS", "SIZE", "AVERAGE")


@app.command()
def show(user: OnlyUserOption = None, days: DaysOption = 30, as_json: JsonOption = False) -> None:
    """Show the statistics as last counted: every day at 00:23 UTC by Dagster, or by `usage rebuild`."""
    with session.database() as database:
        user_id = None if user is None else lookup.find_user(database, user).id
        since = (session.now() - timedelta(days=days - 1)).date()
        found = usage.list_stats(database, user_id=user_id, since=since)
        emails = {person.id: person.email for person in users.list_all(database)}
    if as_json:
        console.print_json([_json(one, emails) for one in found])
        return
    empty = "Nothing is counted for these days. `export-pipelines usage rebuild` counts now."
    console.print_table(COLUMNS, [_cells(one, emails) for one in found], empty=empty)


@app.command()
def rebuild(as_json: JsonOption = False) -> None:
    """Count everything anew from the audit log."""
    with session.database() as database:
        counted = usage.rebuild(database)
    if as_json:
        console.print_json(asdict(counted))
        return
    console.out.print(f"{counted.days} days counted, {counted.rows} rows written")


def _json(one: UsageStats, emails: dict[str, str]) -> dict[str, Any]:
    return {**asdict(one), "average_seconds": one.average_seconds, "user_email": emails.get(one.user_id)}


def _cells(one: UsageStats, emails: dict[str, str]) -> Sequence[object]:
    average = "-" if one.average_seconds is None else f"{one.average_seconds:.1f} s"
    who = emails.get(one.user_id, one.user_id)
    size = console.bytes_shown(one.bytes)
    return (one.day, who, one.type, one.exports, one.failures, one.rows, size, average)
