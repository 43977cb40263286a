"""Usage statistics as a Dagster job with its daily schedule."""

import dagster as dg

from export_pipelines.db.database import Database
from export_pipelines.orchestration.clock import now
from export_pipelines.orchestration.failures import translated


@dg.op(
    name="count_usage",
    description="Count what ended since the last time: exports, failures, rows, bytes and seconds per user and day.",
    out=dg.Out(dg.Nothing),
)
def count_usage_op(context: dg.OpExecutionContext, database: dg.ResourceParam[Database]) -> None:
    """Count once and say how much."""
    from export_pipelines.db import usage  # noqa: PLC0415 - see build.py

    with translated():
        counted = usage.refresh(database, now=now())
    context.add_output_metadata({"days_counted": counted.days, "rows_written": counted.rows})


@dg.job(
    name="count_usage_stats",
    description="Keeps the usage statistics; safe to launch at any time, and `export-pipelines usage rebuild` gives "
    "the same numbers from nothing.",
)
def count_usage_stats() -> None:
    """One op: the count."""
    count_usage_op()


count_usage_daily = dg.ScheduleDefinition(
    name="count_usage_daily",
    job=count_usage_stats,
    cron_schedule="23 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every day at 00:23 UTC: count the usage of the day before, and of days that are not counted yet.",
)
