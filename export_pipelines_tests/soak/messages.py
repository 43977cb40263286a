"""What must hold of messages: each sent, each received, each under a key of its own."""

import json
from collections import defaultdict
from collections.abc import Iterator

from export_pipelines.core.deliveries import Delivery, DeliveryEvent, DeliveryState, webhook_name
from export_pipelines.core.errors import ContentError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import deliveries, jobs
from export_pipelines_tests.soak.mailbox import REFUSED
from export_pipelines_tests.soak.world import World

_ENDS = {
    JobStatus.COMPLETED: DeliveryEvent.COMPLETED,
    JobStatus.EXPIRED: DeliveryEvent.COMPLETED,
    JobStatus.FAILED: DeliveryEvent.FAILED,
}


def all_deliveries(world: World) -> list[Delivery]:
    """Every message there is."""
    return list(deliveries.list_deliveries(world.services.database, limit=100_000))


def received(world: World) -> dict[str, set[tuple[str, str]]]:
    """Of each idempotency key the job and the recipient, or recipients, that came with it.

    Mail does not name the job; its key says which message it is.
    """
    said: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for mail in world.mailbox.mails:
        said[mail.message_id.removeprefix("<").partition(".")[0]].add(("", mail.recipient))
    for posted in world.receiver.received:
        body = json.loads(posted.body)
        said[posted.headers["webhook-id"]].add((body["data"]["job_id"], body["type"]))
    return said


def check_messages(world: World, found: list[ExportJob], sent: list[Delivery]) -> Iterator[str]:
    """Each recipient of each ended job has one message, which has arrived under its own key, and under no other."""
    made = {(each.job_id, each.event, each.recipient) for each in sent}
    for job in found:
        if job.status in _ENDS:
            for recipient in _recipients(job):
                if (job.id, _ENDS[job.status], recipient) not in made:
                    yield f"{recipient} has no message about job {job.id}, {job.status}"
    arrived = received(world)
    for each in sent:
        yield from _of_one(each, arrived.pop(each.id, set()))
    yield from (f"a message arrived under {key}, which is no message of ours: {what}" for key, what in arrived.items())


def _of_one(each: Delivery, arrived: set[tuple[str, str]]) -> Iterator[str]:
    name = f"message {each.id} to {each.recipient} about job {each.job_id}"
    is_refused = each.recipient == REFUSED
    if (each.state is DeliveryState.DEAD) != is_refused or each.state is DeliveryState.PENDING:
        yield f"{name} is {each.state}: {each.last_error}"
    if not is_refused:
        own = ("", each.recipient) if webhook_name(each.recipient) is None else (each.job_id, each.event)
        if arrived != {own}:
            yield f"{name} arrived as {arrived or 'nothing'}"


def _recipients(job: ExportJob) -> tuple[str, ...]:
    try:
        delivery = jobs.request_of(job).delivery
    except ContentError:
        return ()
    return () if delivery is None else delivery.recipients
