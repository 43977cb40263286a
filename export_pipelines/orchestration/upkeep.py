"""The sweep as a Dagster job with its schedule: expiry, dead jobs, left-over staging."""

from typing import Any

import dagster as dg

from export_pipelines.db.database import Database
from export_pipelines.orchestration.failures import translated
from export_pipelines.orchestration.resources import services_of
from export_pipelines.storage.store import ObjectStore


@dg.op(
    name="sweep",
    description="Expire files whose time is over, fail jobs whose worker is dead, remove staging nobody needs.",
    out=dg.Out(dg.Nothing),
)
def sweep_op(
    context: dg.OpExecutionContext,
    database: dg.ResourceParam[Database],
    store: dg.ResourceParam[ObjectStore],
) -> None:
    """Sweep once and say what was done."""
    from export_pipelines.steps.sweep import sweep  # noqa: PLC0415 - see build.py

    with translated():
        swept = sweep(services_of(database, store))
    done: dict[str, Any] = {
        "jobs_taken_from_dead_workers": len(swept.lost),
        "jobs_expired": len(swept.expired),
        "staged_objects_removed": swept.objects,
        "orphaned_files_removed": swept.orphans,
        "bytes_removed": swept.bytes,
    }
    context.add_output_metadata(done)


@dg.job(
    name="sweep_exports",
    description="Keeps rows and store in order; safe to launch at any time.",
)
def sweep_exports() -> None:
    """One op: the sweep."""
    sweep_op()


sweep_hourly = dg.ScheduleDefinition(
    name="sweep_hourly",
    job=sweep_exports,
    cron_schedule="7 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour at seven past: expire files, fail dead jobs, clear staging.",
)
