"""The table of counts that a soak ends with."""

from collections import Counter
from collections.abc import Iterator, Sequence

from export_pipelines.core.deliveries import Delivery, DeliveryState, webhook_name
from export_pipelines.core.failure_reasons import reason_of
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines_tests.queue_sampling import Sampling
from export_pipelines_tests.soak.faults import LASTS
from export_pipelines_tests.soak.messages import received
from export_pipelines_tests.soak.traffic import Traffic
from export_pipelines_tests.soak.world import World

_WAIT = """SELECT coalesce(max(extract(epoch FROM begun.at - j.created_at)), 0)::float FROM exports.export_jobs j
JOIN (SELECT job_id, min(at) AS at FROM exports.export_audit_logs WHERE action = 'started' GROUP BY job_id) begun
ON begun.job_id = j.id"""
_SLOTS = "SELECT count(*) FROM exports.export_schedule_slots"
_REACTIONS = "SELECT count(*) FROM exports.export_reactions"


def table(
    world: World,
    traffic: Traffic,
    *,
    faults: Counter[str],
    sampling: Sampling,
    found: Sequence[ExportJob],
    sent: Sequence[Delivery],
) -> Iterator[tuple[str, str]]:
    """What was made, and what became of it: a name and a figure a line."""
    statuses = Counter(job.status for job in found)
    yield "jobs made", str(len(found))
    for how, number in sorted(Counter(traffic.accepted.values()).items()):
        yield f"  {how}", str(number)
    yield "  schedule slots", str(world.parts.rows(_SLOTS)[0][0])
    yield "  reactions to completed runs", str(world.parts.rows(_REACTIONS)[0][0])
    for what, number in sorted(traffic.turned_away.items()):
        yield f"turned away before anything was promised: {what}", str(number)
    yield "completed (expired ones too)", str(statuses[JobStatus.COMPLETED] + statuses[JobStatus.EXPIRED])
    yield "expired", str(statuses[JobStatus.EXPIRED])
    yield "cancelled", str(statuses[JobStatus.CANCELLED])
    reasons = Counter(reason_of(job.error or "") for job in found if job.status is JobStatus.FAILED)
    for reason, number in sorted(reasons.items()):
        yield f"failed, {reason}", str(number)
    yield "worker lost and export resumed", str(sum(job.launch - 1 for job in found))
    yield from _messages(world, sent)
    for kind in LASTS:
        yield f"fault: {kind}", str(faults[kind])
    yield "requests that the store refused", str(len(world.gate.refused))
    yield "worst wait in the queue", f"{world.parts.rows(_WAIT)[0][0]:.1f} s"
    yield "running at a time, at most", f"{sampling.most} in {sampling.samples} samples"


def _messages(world: World, sent: Sequence[Delivery]) -> Iterator[tuple[str, str]]:
    for kind, is_kind in (("mails", False), ("webhooks", True)):
        of_kind = [each for each in sent if (webhook_name(each.recipient) is not None) is is_kind]
        states = Counter(each.state for each in of_kind)
        tries = sum(each.tries for each in of_kind) - len(of_kind)
        yield kind, f"{states[DeliveryState.SENT]} sent, {states[DeliveryState.DEAD]} dead, {tries} tried again"
    arrived = len(world.mailbox.mails) + len(world.receiver.received)
    yield "messages that arrived", f"{arrived}, under {len(received(world))} keys"
