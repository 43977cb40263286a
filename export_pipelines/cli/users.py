"""``export-pipelines users``: who may log in and ask for exports, and who is an administrator."""

import sys
from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.core.errors import ValidationError
from export_pipelines.db import administrators, sessions
from export_pipelines.db.evaluation import lookup, users

app = typer.Typer(help="People who ask for exports, over HTTP or on the exports page.", no_args_is_help=True)

VARIABLE = "EXPORT_PIPELINES_NEW_PASSWORD"

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="E-mail address, or id.")]
NameOption = Annotated[str, typer.Option(help="What others see them called.")]
AdminOption = Annotated[bool, typer.Option("--admin", help="May see and end everybody's exports.")]
PasswordOption = Annotated[
    str | None,
    typer.Option(
        envvar=VARIABLE,
        show_envvar=True,
        help="For the exports page; asked for when not given. Others on this machine can read arguments.",
    ),
]


@app.command()
def add(
    email: EmailArgument, password: PasswordOption = None, name: NameOption = "", admin: AdminOption = False
) -> None:
    """Add a user; prints the id."""
    chosen = password or _ask()
    with session.database() as database:
        user = users.create(database, email=email, name=name, password=chosen, now=session.now())
        if admin:
            administrators.appoint(database, user.id, now=session.now())
    console.out.print(user.id)


@app.command(name="list")
def list_() -> None:
    """List all users by e-mail address."""
    with session.database() as database:
        appointed = administrators.all_ids(database)
        rows = [
            (user.email, user.name or None, "administrator" if user.id in appointed else "user", user.id)
            for user in users.list_all(database)
        ]
    console.print_table(("E-MAIL", "NAME", "ROLE", "ID"), rows, empty="No users yet; `users add EMAIL` adds one.")


@app.command()
def password(email: EmailArgument, password: PasswordOption = None) -> None:
    """Set another password, and end all sessions that the old one began."""
    chosen = password or _ask()
    with session.database() as database:
        user = lookup.find_user(database, email)
        users.update_user(database, user.id, password=chosen, now=session.now())
        sessions.end_all(database, user.id)
    console.notes.print(f"{user.email} has a new password, and has to log in again.")


@app.command()
def appoint(email: EmailArgument) -> None:
    """Make a user an administrator."""
    with session.database() as database:
        user = lookup.find_user(database, email)
        administrators.appoint(database, user.id, now=session.now())
    console.notes.print(f"{user.email} is an administrator.")


@app.command()
def dismiss(email: EmailArgument) -> None:
    """Make an administrator a user like any other."""
    with session.database() as database:
        user = lookup.find_user(database, email)
        administrators.dismiss(database, user.id)
    console.notes.print(f"{user.email} is no administrator.")


def _ask() -> str:
    """The password, typed twice.

    Raises:
        ValidationError: nobody is there to type it.
    """
    if not sys.stdin.isatty():
        raise ValidationError(f"there is no terminal to ask for the password on; set {VARIABLE}.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
