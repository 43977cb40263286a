"""``export-pipelines keys create | list | revoke``: API keys for the HTTP API."""

from datetime import timedelta
from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.core.errors import NotFoundError
from export_pipelines.core.evaluation import ApiKey
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import api_keys, lookup
from export_pipelines.steps.users import default_user
from export_pipelines.storage.secret import link_secret

UserOption = Annotated[
    str | None, typer.Option("--user", metavar="EMAIL", help="Whose key; as for exports when not given.")
]
NameOption = Annotated[str, typer.Option("--name", help="What the key is for, as lists show it.")]
DaysOption = Annotated[int | None, typer.Option("--days", min=1, max=3650, help="How long it works; for ever without.")]
KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="Its id, or its first characters as `list` shows them.")
]


def create(user: UserOption = None, name: NameOption = "command line", days: DaysOption = None) -> None:
    """Make an API key and print it, this once: only its hash is kept."""
    with session.services() as services:
        now = services.clock()
        made = api_keys.create(
            services.database,
            user_id=lookup.find_user(services.database, user or default_user(services)).id,
            name=name,
            secret=link_secret(services.settings),
            expires_at=None if days is None else now + timedelta(days=days),
            now=now,
        )
    console.out.print(made.key, markup=False)
    console.notes.print(
        f"Keep it; it cannot be shown again. End it with: export-pipelines keys revoke {made.record.id}"
    )


def list_(user: UserOption = None) -> None:
    """List API keys by their first characters, the newest first; revoked ones too."""
    with session.services() as services:
        whose = lookup.find_user(services.database, user or default_user(services))
        found = api_keys.list_for_user(services.database, whose.id)
    rows = [
        (key.prefix, key.name, key.created_at, key.last_used_at, key.expires_at, key.revoked_at, key.id)
        for key in found
    ]
    columns = ("KEY", "NAME", "CREATED (UTC)", "LAST USED", "EXPIRES", "REVOKED", "ID")
    console.print_table(columns, rows, empty=f"{whose.email} has no API keys; `keys create` makes one.")


def revoke(key: KeyArgument, user: UserOption = None) -> None:
    """End an API key at once and for good."""
    with session.services() as services:
        whose = lookup.find_user(services.database, user or default_user(services))
        ended = api_keys.revoke(services.database, _find(services.database, whose.id, key).id, now=services.clock())
    console.notes.print(f"{ended.prefix} ({ended.name}) of {whose.email} works no more.", markup=False)


def _find(database: Database, user_id: str, text: str) -> ApiKey:
    """The key meant; a person may paste all of it, of which nothing but the beginning is looked at."""
    begins = text[: api_keys.PREFIX_LENGTH]
    fitting = [key for key in api_keys.list_for_user(database, user_id) if text == key.id or begins == key.prefix]
    if len(fitting) != 1:
        raise NotFoundError("there is no such key, or more than one; `keys list` shows ids.")
    return fitting[0]
