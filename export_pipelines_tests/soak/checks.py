"""What must hold when everything has come to its end: of jobs, slots, reactions, files and the audit log."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.core.failure_reasons import FailureReason, reason_of
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.steps.audit import sign_checkpoint, verify_log
from export_pipelines.steps.signing import known_keys
from export_pipelines.steps.sweep import sweep
from export_pipelines.steps.upload import MANIFEST_SUFFIX
from export_pipelines.steps.verify import Trust, verify_job
from export_pipelines_tests.soak.settling import BEYOND_GRACE
from export_pipelines_tests.soak.traffic import Traffic
from export_pipelines_tests.soak.world import World

LIVES = re.compile("C(S+F)*S*(F|L|DX?)")
"""What may happen to a job, in order: Created, Started, Failed, Done, eXpired, canceLled."""

_LETTERS = {"created": "C", "started": "S", "failed": "F", "completed": "D", "expired": "X", "cancelled": "L"}
_DOUBLE_RUNS = "SELECT value, count(*) FROM run_tags WHERE key = 'export/run_key' GROUP BY value HAVING count(*) > 1"
_SLOTS = "SELECT at, job_id, error FROM exports.export_schedule_slots WHERE schedule_id = %s ORDER BY at"
_REACTIONS = "SELECT subscription_id, run_id, job_id, reason FROM exports.export_reactions"


def all_jobs(world: World) -> list[ExportJob]:
    """Every job there is."""
    return list(jobs.list_jobs(world.services.database, limit=100_000))


def check_jobs(world: World, traffic: Traffic, found: list[ExportJob]) -> Iterator[str]:
    """Every promise is one job, there is no other job, and each ended as it had to."""
    promised = [*traffic.accepted, *_job_ids_of_slots(world, traffic), *_job_ids_of_reactions(world)]
    rows = {job.id for job in found}
    yield from (f"job {job_id} is lost" for job_id in set(promised) - rows)
    yield from (f"job {job_id} was asked for by nobody" for job_id in rows - set(promised))
    yield from (f"job {job_id} answers to {n} requests" for job_id, n in Counter(promised).items() if n > 1)
    yield from (f"{n} runs of Dagster have the key {key}" for key, n in world.parts.runs(_DOUBLE_RUNS))
    yield from (f"job {job.id} is {job.status}, {job.error}" for job in found if job.status not in ends(job, traffic))


def ends(job: ExportJob, traffic: Traffic) -> tuple[JobStatus, ...]:
    """How a job may have ended, by what was asked for and by what the plan broke."""
    if job.id in traffic.wrong:
        return (JobStatus.FAILED,)
    if job.id in traffic.cancelled:
        return (JobStatus.CANCELLED,)
    if job.id in traffic.links:
        return (JobStatus.EXPIRED,)
    # The store is the one thing in the plan that an export cannot wait for.
    if traffic.world.gate.refused and reason_of(job.error or "") is FailureReason.STORE:
        return (JobStatus.FAILED,)
    return (JobStatus.COMPLETED,)


def check_slots(world: World, traffic: Traffic) -> Iterator[str]:
    """Of each schedule every minute has its slot, and every slot its job."""
    for schedule_id in traffic.schedules:
        slots = world.parts.rows(_SLOTS, schedule_id)
        yield from (f"the slot {at} of {schedule_id} has no job: {error}" for at, job, error in slots if job is None)
        moments = [at for at, _, _ in slots]
        for before, after in pairwise(moments):
            if after - before != timedelta(minutes=1):
                yield f"between the slots {before} and {after} of {schedule_id} some are missing"
        if not moments:
            yield f"schedule {schedule_id} had no slot"


def check_reactions(world: World, traffic: Traffic) -> Iterator[str]:
    """Each subscription has answered to each run with one job."""
    answered = {(subscription, run): job for subscription, run, job, _ in world.parts.rows(_REACTIONS)}
    for subscription in traffic.subscriptions:
        for run in traffic.completed_runs:
            if answered.get((subscription, run)) is None:
                yield f"subscription {subscription} made no job of run {run}"


def check_files(world: World, traffic: Traffic, found: list[ExportJob]) -> Iterator[str]:
    """Files are there and whole, or gone with their links; nothing else lies in the store after the grace period."""
    services = world.past_gate
    trust = Trust(keys=known_keys(services.settings))
    for job in found:
        if job.status is JobStatus.COMPLETED:
            try:
                yield from (
                    f"file of {job.id}: {problem}" for problem in verify_job(services, job.id, trust=trust).problems
                )
            except ExportPipelinesError as error:
                yield f"file of {job.id}: {error}"
    for job_id, link in traffic.links.items():
        answer = httpx.get(f"{world.site}{httpx.URL(link).raw_path.decode()}", timeout=60)
        if answer.status_code != httpx.codes.GONE:
            yield f"the link of {job_id}, which has expired, is answered with {answer.status_code}"
    sweep(replace(services, clock=lambda: datetime.now(UTC) + BEYOND_GRACE))
    paths = [job.output_path for job in found if job.status is JobStatus.COMPLETED and job.output_path]
    wanted = {path + suffix for path in paths for suffix in ("", MANIFEST_SUFFIX)}
    there = {facts.key for prefix in ("exports/", "staging/") for facts in services.store.list(prefix)}
    yield from (f"{key} is gone" for key in wanted - there)
    yield from (f"{key} is still there, and nobody needs it" for key in there - wanted)


def check_audit(world: World, found: list[ExportJob]) -> Iterator[str]:
    """The chain is whole, and no job has lived a life that the state machine does not allow."""
    sign_checkpoint(world.services)
    audited = verify_log(world.services.database, keys=known_keys(world.services.settings))
    yield from (f"audit log: {problem}" for problem in audited.problems)
    for job in found:
        entries = audit.list_for_job(world.services.database, job.id)
        life = "".join(_LETTERS.get(entry.action, "") for entry in entries)
        if not LIVES.fullmatch(life):
            yield f"job {job.id}, {job.status}, has lived {', '.join(entry.action for entry in entries)}"


def _job_ids_of_slots(world: World, traffic: Traffic) -> list[str]:
    return [job for each in traffic.schedules for _, job, _ in world.parts.rows(_SLOTS, each) if job]


def _job_ids_of_reactions(world: World) -> list[str]:
    return [job for _, _, job, _ in world.parts.rows(_REACTIONS) if job]
