"""``export-pipelines schedules``: exports that are asked for by the clock."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.changes import AttachChange, HoursChange, NobodyChange, SetChange, ToldNow, given
from export_pipelines.cli.exports import (
    DayOption,
    DefinitionOption,
    HoursOption,
    JsonOption,
    RunOption,
    SetOption,
    TypeArgument,
    UserOption,
    read_pairs,
)
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.schedules import MissedSlots, Schedule
from export_pipelines.core.slots import Slot, read_zone
from export_pipelines.db import schedules
from export_pipelines.steps import schedules as steps
from export_pipelines.steps.orders import Of, Terms, Told, build_order
from export_pipelines.steps.users import default_user

app = typer.Typer(
    help="Schedules: exports at fixed times; list them without a subcommand.", invoke_without_command=True
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the schedule is called.")]
ScheduleArgument = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its name, id, or the beginning of the id.")]
CronOption = Annotated[str, typer.Option(metavar="PATTERN", help="Like '30 2 * * *' for 02:30 every night; or @daily.")]
ZoneOption = Annotated[str, typer.Option(metavar="ZONE", help="IANA time zone that the pattern is meant in.")]
RecipientOption = Annotated[
    list[str] | None, typer.Option("--recipient", help="E-mail address, or webhook:NAME; may be given again.")
]
LinkOption = Annotated[bool, typer.Option(help="Whether messages have a link that downloads the file.")]
AttachOption = Annotated[bool, typer.Option("--attach-file", help="E-mails have the file itself when it is small.")]
MissedOption = Annotated[
    str, typer.Option("--missed", metavar="POLICY", help="After an outage: skip what was missed, or run-once.")
]
TitleOption = Annotated[str, typer.Option(help="What lists call the exports; made up without it.")]
NameChange = Annotated[str | None, typer.Option(help="What the schedule is called.")]
CronChange = Annotated[str | None, typer.Option(metavar="PATTERN", help="Like '30 2 * * *'; or @daily.")]
ZoneChange = Annotated[str | None, typer.Option(metavar="ZONE", help="IANA time zone that the pattern is meant in.")]
LinkChange = Annotated[bool | None, typer.Option(help="Whether messages have a link that downloads the file.")]
MissedChange = Annotated[
    str | None, typer.Option("--missed", metavar="POLICY", help="After an outage: skip what was missed, or run-once.")
]
TitleChange = Annotated[str | None, typer.Option(help="What lists call the exports; made up when empty.")]
NextOption = Annotated[int, typer.Option("--next", min=1, max=1000, help="How many times.")]
COLUMNS = ("ID", "NAME", "TYPE", "PATTERN", "ZONE", "NEXT (UTC)", "LAST (UTC)", "RUNS", "FAILED", "STATE")


@app.callback(invoke_without_command=True)
def schedules_(context: typer.Context, as_json: JsonOption = False) -> None:
    """List schedules, or do something with one."""
    if context.invoked_subcommand is None:
        list_(as_json=as_json)


@app.command(name="list")
def list_(as_json: JsonOption = False) -> None:
    """List schedules by name."""
    with session.database() as database:
        found = schedules.list_schedules(database)
    if as_json:
        console.print_json([asdict(schedule) for schedule in found])
        return
    empty = "No schedules. Make one with `export-pipelines schedules add NAME TYPE --cron ...`."
    console.print_table(COLUMNS, [_cells(schedule) for schedule in found], empty=empty)


@app.command()
def add(  # noqa: PLR0913, PLR0917 - one argument for each option of the command
    name: NameArgument,
    type_name: TypeArgument,
    cron: CronOption,
    timezone: ZoneOption = "UTC",
    run_id: RunOption = None,
    definition_id: DefinitionOption = None,
    day: DayOption = None,
    user: UserOption = None,
    expiry_hours: HoursOption = 24,
    set_: SetOption = None,
    title: TitleOption = "",
    recipients: RecipientOption = None,
    download_link: LinkOption = True,
    attach_file: AttachOption = False,
    missed: MissedOption = "skip",
    as_json: JsonOption = False,
) -> None:
    """Add a schedule; its first export is made at the next time that fits the pattern."""
    terms = Terms(options=read_pairs(set_ or ()), expiry_hours=expiry_hours, title=title)
    told = Told(
        recipients=recipients or (),
        include_download_link=download_link,
        attach_file=attach_file,
        named_by="--recipient",
    )
    with session.services() as services:
        order = build_order(
            type_name,
            user=user or default_user(services),
            of=Of(run_id=run_id, definition_id=definition_id, day=day),
            terms=terms,
            told=told,
        )
        made = steps.add(
            services,
            wall_times,
            order,
            name=name,
            cron_pattern=cron,
            timezone=timezone,
            missed_slots=_policy(missed),
        )
    _report(made, as_json=as_json)


@app.command()
def change(  # noqa: PLR0913, PLR0917 - one argument for each option of the command
    schedule: ScheduleArgument,
    name: NameChange = None,
    cron: CronChange = None,
    timezone: ZoneChange = None,
    run_id: RunOption = None,
    definition_id: DefinitionOption = None,
    day: DayOption = None,
    expiry_hours: HoursChange = None,
    set_: SetChange = None,
    title: TitleChange = None,
    recipients: RecipientOption = None,
    download_link: LinkChange = None,
    attach_file: AttachChange = None,
    tell_nobody: NobodyChange = False,
    missed: MissedChange = None,
    as_json: JsonOption = False,
) -> None:
    """Change what is given, but the type; a paused schedule stays paused."""
    told = ToldNow(
        recipients=recipients,
        include_download_link=download_link,
        attach_file=attach_file,
        nobody=tell_nobody,
        named_by="--recipient",
    )
    options = read_pairs(set_) if set_ else None
    of = given(run_id=run_id, definition_id=definition_id, day=day)
    ordered = given(options=options, expiry_hours=expiry_hours, title=title and title.strip()) | of
    policy = None if missed is None else _policy(missed)
    planned = given(name=name, cron_pattern=cron, timezone=timezone, missed_slots=policy)
    with session.services() as services:
        found = schedules.find(services.database, schedule)
        now = steps.plan_of(found)
        order = replace(now.order, delivery=told.after(found.delivery), **ordered)
        changed = steps.change(services, wall_times, found, replace(now, order=order, **planned))
    _report(changed, as_json=as_json)


@app.command()
def pause(schedule: ScheduleArgument, as_json: JsonOption = False) -> None:
    """Stop a schedule until it is resumed."""
    with session.services() as services:
        paused = steps.pause(services, schedules.find(services.database, schedule))
    _report(paused, as_json=as_json)


@app.command()
def resume(schedule: ScheduleArgument, as_json: JsonOption = False) -> None:
    """Let a paused schedule go on with its next time; what came meanwhile is not made up for."""
    with session.services() as services:
        resumed = steps.resume(services, wall_times, schedules.find(services.database, schedule))
    _report(resumed, as_json=as_json)


@app.command()
def preview(
    schedule: Annotated[str, typer.Argument(metavar="[SCHEDULE]", help="A schedule; or give --cron.")] = "",
    count: NextOption = 10,
    cron: Annotated[str, typer.Option(metavar="PATTERN", help="A pattern to try out, without a schedule.")] = "",
    timezone: ZoneOption = "UTC",
    as_json: JsonOption = False,
) -> None:
    """Show when a schedule, or a pattern that you try out, is due next."""
    if bool(schedule) == bool(cron):
        raise ValidationError("preview shows one thing: name a schedule, or give --cron PATTERN and --timezone ZONE.")
    if schedule:
        with session.database() as database:
            found = schedules.find(database, schedule)
        cron, timezone = found.cron_pattern, found.timezone
    slots = steps.upcoming(wall_times, cron_pattern=cron, timezone=timezone, count=count, now=session.now())
    if as_json:
        console.print_json([asdict(slot) for slot in slots])
        return
    columns = (f"LOCAL TIME ({timezone})", "UTC")
    console.print_table(columns, [(_local(slot, timezone), slot.at) for slot in slots], empty="")


@app.command()
def run_now(schedule: ScheduleArgument, as_json: JsonOption = False) -> None:
    """Queue the export of a schedule now, besides those at its times."""
    with session.services() as services:
        job = steps.run_now(services, schedules.find(services.database, schedule))
    if as_json:
        console.print_json(console.job_json(job, local_path=None))
        return
    console.out.print(f"job {job.id} is {job.status}; follow it with: export-pipelines jobs show {job.id}")


@app.command()
def remove(schedule: ScheduleArgument) -> None:
    """Remove a schedule; the exports that it gave stay."""
    with session.database() as database:
        found = schedules.find(database, schedule)
        schedules.remove(database, found.id)
    console.out.print(f"schedule {found.name} ({found.id}) is removed", markup=False)


def wall_times(pattern: str, start: datetime) -> Iterator[datetime]:
    """The reader of cron patterns, which is Dagster's; only who tells times waits for it to be imported.

    Raises:
        ValidationError: the pattern cannot be read, or names no time at all.
    """
    from export_pipelines.orchestration import cron  # noqa: PLC0415

    return cron.wall_times(pattern, start)


def _policy(text: str) -> MissedSlots:
    try:
        return MissedSlots(text.upper().replace("-", "_"))
    except ValueError as error:
        raise ValidationError(f"--missed {text!r} is unknown; there are skip and run-once.") from error


def _report(schedule: Schedule, *, as_json: bool) -> None:
    if as_json:
        console.print_json(asdict(schedule))
        return
    state = f"is next due at {schedule.next_run:%Y-%m-%d %H:%M} UTC" if schedule.next_run else f"is {_state(schedule)}"
    console.out.print(f"schedule {schedule.name} ({schedule.id}) {state}", markup=False)


def _cells(schedule: Schedule) -> tuple[object, ...]:
    times = (schedule.next_run, schedule.last_run)
    counts = (schedule.run_count, schedule.failure_count)
    what = (schedule.id, schedule.name, schedule.type, schedule.cron_pattern, schedule.timezone)
    return (*what, *times, *counts, _state(schedule))


def _state(schedule: Schedule) -> str:
    return "active" if schedule.active else f"paused: {schedule.paused_reason}"


def _local(slot: Slot, timezone: str) -> str:
    return f"{slot.at.astimezone(read_zone(timezone)):%a %Y-%m-%d %H:%M %Z}"
