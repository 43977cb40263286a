"""The schedules: the one that turns due slots of rows into export jobs, and the two that are written down in code."""

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from export_pipelines.catalog.bulk_day_jsonl import BULK_DAY_JSONL
from export_pipelines.catalog.bulk_jsonl import BULK_JSONL
from export_pipelines.core.errors import NotFoundError
from export_pipelines.db.database import Database
from export_pipelines.orchestration.failures import translated
from export_pipelines.orchestration.resources import services_of
from export_pipelines.storage.store import ObjectStore

if TYPE_CHECKING:
    from export_pipelines.steps.dispatch import Dispatched

_NAMED = 10
"""Schedules that a tick names one by one."""
_DONE_OR_GOING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUCCESS,
]


@dg.op(
    name="dispatch_due_slots",
    description="Make the export jobs of all slots of schedules that have come, and note how earlier ones ended.",
    out=dg.Out(dg.Nothing),
)
def dispatch_op(
    context: dg.OpExecutionContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> None:
    """Dispatch once and say what was done."""
    with translated():
        done = _dispatch(database, store)
    context.log.info("%s", said(done))
    context.add_output_metadata(
        {"slots": len(done.fired), "missed": len(done.missed), "schedules_paused": len(done.paused)}
    )


@dg.job(
    name="dispatch_exports",
    description="Does what a tick of the schedule dispatch_schedules does; safe to launch at any time.",
)
def dispatch_exports() -> None:
    """One op: the dispatch."""
    dispatch_op()


@dg.schedule(
    name="dispatch_schedules",
    job=dispatch_exports,
    cron_schedule="* * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every minute: turns the slots of `export-pipelines schedules` that are due into PENDING export jobs. "
    "The tick does the work itself and says what it queued, so it launches no run.",
)
def dispatch_schedules(
    context: dg.ScheduleEvaluationContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.SkipReason:
    """A run for each minute of the year would hide all others, so the tick itself does the little there is to do."""
    done = _dispatch(database, store)
    for schedule in done.paused:
        context.log.warning("schedule %s (%s) is paused: %s", schedule.name, schedule.id, schedule.paused_reason)
    return dg.SkipReason(said(done))


def _dispatch(database: Database, store: ObjectStore) -> "Dispatched":
    from export_pipelines.orchestration.cron import wall_times  # noqa: PLC0415 - see build.py
    from export_pipelines.steps.dispatch import dispatch  # noqa: PLC0415 - see build.py

    return dispatch(services_of(database, store), wall_times)


def said(done: "Dispatched") -> str:
    """What a dispatch did, in sentences."""
    queued = [
        f"{one.schedule.name} at {one.slot.local:%Y-%m-%d %H:%M} (job {one.job_id})" for one in done.fired if one.job_id
    ]
    wrong = [f"{one.schedule.name}: {one.error}" for one in done.fired if one.error]
    paused = [f"{schedule.name}: {schedule.paused_reason}" for schedule in done.paused]
    told = (
        ("Queued", queued),
        ("Could not queue", wrong),
        ("Missed, and skipped as they ask for", [schedule.name for schedule in done.missed]),
        ("Paused", paused),
    )
    return " ".join(f"{verb} {_listed(things)}." for verb, things in told if things) or "No schedule is due."


def _listed(things: list[str]) -> str:
    more = f" and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
    return f"{len(things)}: " + "; ".join(thing.rstrip(".") for thing in things[:_NAMED]) + more


@dg.schedule(
    name="export_latest_run_nightly",
    job_name=BULK_JSONL.job_name,
    cron_schedule="30 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every night at half past two, UTC: BULK_JSONL of the run that was completed last, each run once. "
    "Stopped until somebody wants it.",
)
def export_latest_run_nightly(
    context: dg.ScheduleEvaluationContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.RunRequest | dg.SkipReason:
    """Dagster's run keys tell runs of one tick apart, not those of two nights, so earlier nights are looked up."""
    from export_pipelines.db.evaluation import runs  # noqa: PLC0415 - see build.py
    from export_pipelines.steps.users import default_user  # noqa: PLC0415 - see build.py

    try:
        latest = runs.latest_completed(database)
    except NotFoundError as error:
        return dg.SkipReason(str(error))
    tags = {"export/nightly_of": latest.id}
    if context.instance.get_runs(dg.RunsFilter(tags=tags, statuses=_DONE_OR_GOING), limit=1):
        return dg.SkipReason(f"No run was completed since {latest.id}, which was exported before.")
    form = {"run_id": latest.id, "user": default_user(services_of(database, store))}
    return dg.RunRequest(run_config={"ops": {f"load_{BULK_JSONL.subject}": {"config": form}}}, tags=tags)


@dg.schedule(
    name="export_day_nightly",
    job_name=BULK_DAY_JSONL.job_name,
    cron_schedule="30 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description=f"Every night at half past midnight, UTC: {BULK_DAY_JSONL.name} of the day that is over. "
    "Stopped until somebody wants it; days of before are backfilled from the job's page.",
)
def export_day_nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """A partition needs no form."""
    return dg.RunRequest(partition_key=f"{context.scheduled_execution_time - timedelta(days=1):%Y-%m-%d}")
