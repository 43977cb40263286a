"""``export-pipelines subscriptions``: exports that completed runs start by themselves."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.changes import AttachChange, HoursChange, NobodyChange, SetChange, ToldNow, given
from export_pipelines.cli.exports import HoursOption, JsonOption, SetOption, UserOption, read_pairs
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.subscriptions import RunsOf, Subscription, Tally
from export_pipelines.db import subscriptions
from export_pipelines.db.evaluation import lookup, users
from export_pipelines.steps import subscribe as steps
from export_pipelines.steps.orders import Terms, Told, build_order
from export_pipelines.steps.services import Services
from export_pipelines.steps.subscribe import Wish
from export_pipelines.steps.users import default_user

app = typer.Typer(help="Exports that completed evaluation runs start by themselves.", no_args_is_help=True)

TypeArgument = Annotated[str, typer.Argument(metavar="TYPE", help="A type that exports a run, like RUN_BUNDLE.")]
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The subscription's id, the beginning of it, or its name.")
]
DefinitionOption = Annotated[
    str | None, typer.Option(help="Runs of this definition: id, beginning of the id, or unique name.")
]
TagOption = Annotated[str | None, typer.Option(help="Runs of definitions that have this tag as the run completes.")]
AllOption = Annotated[bool, typer.Option("--all", help="All runs.")]
NameOption = Annotated[str, typer.Option(help="What to call it; made up without it.")]
NameChange = Annotated[str | None, typer.Option(help="What to call it; made up when empty.")]
ToOption = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="RECIPIENT", help="Who is told: an e-mail address or webhook:NAME; may be repeated."),
]
LinkOption = Annotated[bool, typer.Option("--link/--no-link", help="Whether messages have a link that downloads.")]
LinkChange = Annotated[
    bool | None, typer.Option("--link/--no-link", help="Whether messages have a link that downloads.")
]
AttachOption = Annotated[bool, typer.Option("--attach-file", help="E-mails have the file itself, when it is small.")]
OnlyUserOption = Annotated[str | None, typer.Option("--user", help="Only those of this user.")]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="At most this many answers, newest first.")]
_WHICH = "say which runs: --definition-id, --tag or --all, and only one of them."


@app.command()
def add(  # noqa: PLR0913, PLR0917 - one for each option
    type_name: TypeArgument,
    definition_id: DefinitionOption = None,
    tag: TagOption = None,
    all_runs: AllOption = False,
    name: NameOption = "",
    user: UserOption = None,
    expiry_hours: HoursOption = 24,
    set_: SetOption = None,
    to: ToOption = None,
    link: LinkOption = True,
    attach_file: AttachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Subscribe: from now on, every run that completes is exported so."""
    if _ways(definition_id, tag, all_runs=all_runs) != 1:
        raise ValidationError(_WHICH)
    terms = Terms(options=read_pairs(set_ or ()), expiry_hours=expiry_hours)
    told = Told(recipients=to or (), include_download_link=link, attach_file=attach_file, named_by="--to")
    with session.services() as services:
        order = build_order(type_name, user=user or default_user(services), terms=terms, told=told)
        made = steps.subscribe(services, Wish(order=order, name=name, definition=definition_id, tag=tag))
        _print(services, made, as_json=as_json)


@app.command()
def change(  # noqa: PLR0913, PLR0917 - one for each option
    subscription_id: IdArgument,
    definition_id: DefinitionOption = None,
    tag: TagOption = None,
    all_runs: AllOption = False,
    name: NameChange = None,
    expiry_hours: HoursChange = None,
    set_: SetChange = None,
    to: ToOption = None,
    link: LinkChange = None,
    attach_file: AttachChange = None,
    tell_nobody: NobodyChange = False,
    as_json: JsonOption = False,
) -> None:
    """Change what is given, but the type; about other runs, it answers to those completed from now on."""
    ways = _ways(definition_id, tag, all_runs=all_runs)
    if ways > 1:
        raise ValidationError(_WHICH)
    told = ToldNow(
        recipients=to, include_download_link=link, attach_file=attach_file, nobody=tell_nobody, named_by="--to"
    )
    ordered = given(options=read_pairs(set_) if set_ else None, expiry_hours=expiry_hours)
    wished = given(name=name) | ({"definition": definition_id, "tag": tag} if ways else {})
    with session.services() as services:
        found = subscriptions.find(services.database, subscription_id)
        order = replace(steps.order_of(found), delivery=told.after(found.delivery), **ordered)
        changed = steps.change(services, found, replace(steps.wish_of(found), order=order, **wished))
        _print(services, changed, as_json=as_json)


@app.command(name="list")
def list_(user: OnlyUserOption = None, as_json: JsonOption = False) -> None:
    """List subscriptions, what they have started, and what they could not."""
    with session.services() as services:
        owner = None if user is None else lookup.find_user(services.database, user).id
        found = subscriptions.list_all(services.database, user_id=owner)
        tallies = subscriptions.tallies(services.database, [one.id for one in found])
        if as_json:
            console.print_json([_json(one, tallies[one.id]) for one in found if one.id in tallies])
            return
        emails = {person.id: person.email for person in users.list_all(services.database)}
        rows = [_cells(one, tallies[one.id], emails) for one in found if one.id in tallies]
    columns = ("ID", "NAME", "TYPE", "RUNS OF", "USER", "STATE", "JOBS", "REFUSED", "LAST (UTC)", "LAST REFUSAL")
    empty = "No subscriptions. Make one with `export-pipelines subscriptions add TYPE --all`."
    console.print_table(columns, rows, empty=empty)


@app.command()
def show(subscription_id: IdArgument, limit: LimitOption = 20, as_json: JsonOption = False) -> None:
    """Show one subscription whole, with its newest answers: the job, or why there is none."""
    with session.services() as services:
        found = subscriptions.find(services.database, subscription_id)
        reactions = subscriptions.reactions(services.database, found.id, limit=limit)
        row = _json(found, subscriptions.tallies(services.database, [found.id])[found.id])
    if as_json:
        console.print_json(row | {"reactions": [asdict(reaction) for reaction in reactions]})
        return
    console.print_fields(row)
    rows = [(reaction.at, reaction.run_id, reaction.job_id, reaction.reason) for reaction in reactions]
    console.print_table(("AT (UTC)", "RUN", "JOB", "REFUSED BECAUSE"), rows, empty="It has not answered to a run yet.")


@app.command()
def pause(subscription_id: IdArgument, as_json: JsonOption = False) -> None:
    """Start no exports for it until it is resumed; runs completed meanwhile are not exported later."""
    with session.services() as services:
        found = subscriptions.find(services.database, subscription_id)
        _print(services, subscriptions.pause(services.database, found.id, now=session.now()), as_json=as_json)


@app.command()
def resume(subscription_id: IdArgument, as_json: JsonOption = False) -> None:
    """Start exports for it again, of runs that complete from now on."""
    with session.services() as services:
        found = subscriptions.find(services.database, subscription_id)
        _print(services, subscriptions.resume(services.database, found.id, now=session.now()), as_json=as_json)


@app.command()
def remove(subscription_id: IdArgument, as_json: JsonOption = False) -> None:
    """Delete it; the exports that it started stay."""
    with session.services() as services:
        found = subscriptions.find(services.database, subscription_id)
        removed = subscriptions.remove(services.database, found.id)
    if as_json:
        console.print_json({"id": removed.id, "removed": True})
        return
    console.out.print(f"removed {removed.id} ({removed.name})", markup=False)


def _ways(definition_id: str | None, tag: str | None, *, all_runs: bool) -> int:
    """In how many ways it is said which runs."""
    return [definition_id is not None, tag is not None, all_runs].count(True)


def _print(services: Services, one: Subscription, *, as_json: bool) -> None:
    row = _json(one, subscriptions.tallies(services.database, [one.id])[one.id])
    if as_json:
        console.print_json(row)
        return
    console.print_fields({name: row[name] for name in ("id", "name", "type", "runs_of", "subject", "options")})
    since = f"{one.active_since:%Y-%m-%d %H:%M:%S} UTC"
    state = f"active: exports runs completed since {since}" if one.active else "paused: exports nothing"
    console.out.print(state, markup=False)


def _json(one: Subscription, tally: Tally) -> dict[str, Any]:
    return {**asdict(one), **asdict(tally)}


def _cells(one: Subscription, tally: Tally, emails: dict[str, str]) -> Sequence[object]:
    subject = "all" if one.runs_of is RunsOf.ALL else f"{one.runs_of.lower()} {tally.subject or '(gone)'}"
    state = "active" if one.active else "paused"
    owner = emails.get(one.user_id, one.user_id)
    came = (tally.jobs, tally.refused, tally.last_at, tally.last_refusal)
    return (one.id, one.name, one.type, subject, owner, state, *came)
