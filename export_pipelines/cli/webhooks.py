"""``export-pipelines webhooks``: where a user's messages are posted."""

from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.exports import JsonOption, UserOption
from export_pipelines.core.deliveries import WEBHOOK, WebhookEndpoint
from export_pipelines.db import webhooks
from export_pipelines.db.evaluation import lookup
from export_pipelines.steps import webhooks as steps
from export_pipelines.steps.channels import open_poster
from export_pipelines.steps.services import Services
from export_pipelines.steps.users import default_user

app = typer.Typer(help="Webhooks that `export --notify webhook:NAME` tells.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")]
UrlArgument = Annotated[
    str, typer.Argument(metavar="URL", help="Where messages are posted: https://..., or http://...")
]


@app.command()
def add(name: NameArgument, url: UrlArgument, user: UserOption = None, as_json: JsonOption = False) -> None:
    """Add a webhook; prints the secret that its messages are signed with, this once."""
    with session.services() as services:
        poster = open_poster(services.settings)
        new = steps.add(services, poster, user_id=_user(services, user), name=name, url=url)
    if as_json:
        console.print_json({**_json(new.endpoint), "secret": new.secret})
        return
    console.print_fields({"name": new.endpoint.name, "url": new.endpoint.url, "secret": new.secret})
    console.notes.print(
        f"Keep the secret: it is not shown again. Tell it with --notify {WEBHOOK}{name}; try it with "
        f"`export-pipelines webhooks test {name}`.",
        markup=False,
    )


@app.command(name="list")
def list_(user: UserOption = None, as_json: JsonOption = False) -> None:
    """List a user's webhooks."""
    with session.services() as services:
        found = webhooks.list_for_user(services.database, _user(services, user))
    if as_json:
        console.print_json([_json(endpoint) for endpoint in found])
        return
    rows = [
        (endpoint.name, "active" if endpoint.active else "paused", endpoint.created_at, endpoint.url)
        for endpoint in found
    ]
    empty = "No webhooks yet; add one with `export-pipelines webhooks add NAME URL`."
    console.print_table(("NAME", "STATE", "ADDED (UTC)", "URL"), rows, empty=empty)


@app.command(name="test")
def try_out(name: NameArgument, user: UserOption = None) -> None:
    """Post a signed message of the type webhook.test, and say what was answered."""
    with session.services() as services:
        poster = open_poster(services.settings)
        status = steps.try_out(services, poster, user_id=_user(services, user), name=name)
    console.out.print(f"{name} answered {status}", markup=False)


@app.command()
def pause(name: NameArgument, user: UserOption = None) -> None:
    """Send it nothing until it is resumed; messages meanwhile are given up, and can be retried."""
    _set_active(name, user, active=False)


@app.command()
def resume(name: NameArgument, user: UserOption = None) -> None:
    """Let a paused webhook go on; one whose receiver answered 410 was paused by that."""
    _set_active(name, user, active=True)


@app.command()
def remove(name: NameArgument, user: UserOption = None) -> None:
    """Forget a webhook and its secret."""
    with session.services() as services:
        webhooks.remove(services.database, user_id=_user(services, user), name=steps.check_name(name))
    console.out.print(f"removed {name}", markup=False)


def _set_active(name: str, user: str | None, *, active: bool) -> None:
    with session.services() as services:
        owner = _user(services, user)
        webhooks.set_active(services.database, user_id=owner, name=steps.check_name(name), active=active)
    console.out.print(f"{name} is {'active' if active else 'paused'}", markup=False)


def _user(services: Services, user: str | None) -> str:
    return lookup.find_user(services.database, user or default_user(services)).id


def _json(endpoint: WebhookEndpoint) -> dict[str, object]:
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "active": endpoint.active,
        "user_id": endpoint.user_id,
        "created_at": endpoint.created_at,
    }
