"""``export-pipelines deliveries``: the messages about exports that have ended."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from export_pipelines.cli import console, session
from export_pipelines.cli.exports import JsonOption
from export_pipelines.core.deliveries import Delivery, DeliveryState
from export_pipelines.core.errors import ValidationError, WorkError
from export_pipelines.db import deliveries, jobs
from export_pipelines.steps.channels import open_channels
from export_pipelines.steps.deliver import Sent, deliver

app = typer.Typer(help="Messages about exports that have ended: list, retry, send.", no_args_is_help=True)

JobOption = Annotated[str | None, typer.Option("--job", metavar="ID", help="Only those of this job.")]
StateOption = Annotated[str | None, typer.Option(help=f"Only these: {', '.join(DeliveryState)}.")]
LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="At most this many, newest first.")]
IdArgument = Annotated[str | None, typer.Argument(metavar="[ID]", help="The delivery's id, or the beginning of it.")]
AllDeadOption = Annotated[bool, typer.Option("--all-dead", help="Everything that was given up.")]
COLUMNS = ("ID", "STATE", "TRIES", "EVENT", "RECIPIENT", "JOB", "ENDED (UTC)", "SENT OR NEXT TRY", "REASON")
MANY = 10_000


@app.command(name="list")
def list_(
    job_id: JobOption = None, state: StateOption = None, limit: LimitOption = 50, as_json: JsonOption = False
) -> None:
    """List deliveries, newest first."""
    wanted = None if state is None else _state(state)
    with session.database() as database:
        job = None if job_id is None else jobs.find(database, job_id).id
        found = deliveries.list_deliveries(database, job_id=job, state=wanted, limit=limit)
    if as_json:
        console.print_json([delivery_json(delivery) for delivery in found])
        return
    print_deliveries(found, empty="No deliveries.")


def print_deliveries(found: Sequence[Delivery], *, empty: str) -> None:
    """The table of deliveries."""
    console.print_table(COLUMNS, [_cells(delivery) for delivery in found], empty=empty)


@app.command()
def retry(delivery_id: IdArgument = None, all_dead: AllDeadOption = False) -> None:
    """Have a delivery that was given up, or waits, tried again now."""
    if (delivery_id is None) is not all_dead:
        raise ValidationError("say which: the ID of one delivery, or --all-dead.")
    with session.database() as database:
        if delivery_id is None:
            due = deliveries.retry_dead(database, most=MANY, now=session.now())
        else:
            found = deliveries.find(database, delivery_id)
            due = (deliveries.retry(database, found.id, now=session.now()),)
    for delivery in due:
        console.out.print(f"delivery {delivery.id} to {delivery.recipient} is due now", markup=False)
    if not due:
        console.out.print("nothing was given up")


@app.command()
def send() -> None:
    """Send all that is due now, as the daemon does; exit status 1 when something was not taken."""
    done: list[Sent] = []
    with session.services() as services:
        channels = open_channels(services.settings)
        going_out = True
        # A round in which nothing is taken is the last: who is away now is away in the next second too.
        while going_out:
            now_done = deliver(services, channels)
            for sent in now_done:
                console.out.print(
                    f"{sent.state:<7}  {sent.delivery.recipient}  {sent.reason or ''}".rstrip(), markup=False
                )
            done += now_done
            going_out = any(sent.state is DeliveryState.SENT for sent in now_done)
    if not done:
        console.out.print("nothing is due")
    failed = sum(sent.state is not DeliveryState.SENT for sent in done)
    if failed:
        raise WorkError(f"{failed} of {len(done)} messages were not taken; see `export-pipelines deliveries list`.")


def _state(text: str) -> DeliveryState:
    try:
        return DeliveryState(text.upper())
    except ValueError as error:
        raise ValidationError(f"state {text!r} is unknown; there are {', '.join(DeliveryState)}.") from error


def _cells(delivery: Delivery) -> tuple[object, ...]:
    when = delivery.sent_at or (delivery.next_try_at if delivery.state is DeliveryState.PENDING else None)
    return (
        delivery.id,
        delivery.state,
        delivery.tries,
        delivery.event,
        delivery.recipient,
        delivery.job_id,
        delivery.created_at,
        when,
        delivery.last_error or "",
    )


def delivery_json(delivery: Delivery) -> dict[str, object]:
    """The row by its column names, without the sender's own mark."""
    return {name: value for name, value in asdict(delivery).items() if name != "claim"}
