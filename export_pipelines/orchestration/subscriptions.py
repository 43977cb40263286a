"""Exports that completed evaluation runs start: the sensor that hears of them, and the sweep for what it missed."""

import dagster as dg

from export_pipelines.db.database import Database
from export_pipelines.orchestration.failures import translated
from export_pipelines.orchestration.resources import services_of
from export_pipelines.storage.store import ObjectStore


@dg.sensor(
    name="react_to_completed_runs",
    description="Starts the exports that subscriptions ask for when an evaluation run completes: makes their PENDING "
    "jobs, each exactly once.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    # The daemon looks every five seconds; exactly five would miss every second time.
    minimum_interval_seconds=4,
)
def react_to_completed_runs(
    context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
) -> dg.SensorResult:
    """The jobs are launched by whoever launches every other; this only makes them."""
    from export_pipelines.orchestration.reacting import read_cursor, tick, write_cursor  # noqa: PLC0415 - see build.py

    with translated():
        cursor, told = tick(services_of(database, store), read_cursor(context.cursor))
    return dg.SensorResult(skip_reason=told, cursor=write_cursor(cursor))


@dg.op(
    name="catch_up",
    description="Answer to every completed run that a subscription asked for and that has no answer yet.",
    out=dg.Out(dg.Nothing),
)
def catch_up_op(
    context: dg.OpExecutionContext,
    database: dg.ResourceParam[Database],
    store: dg.ResourceParam[ObjectStore],
) -> None:
    """Catch up once and say what was missing."""
    from export_pipelines.steps.react import catch_up  # noqa: PLC0415 - see build.py

    with translated():
        looks = catch_up(services_of(database, store))
    started = sum(len(look.job_ids) for look in looks)
    refused = sum(look.refused for look in looks)
    context.add_output_metadata({"jobs_created": started, "runs_refused": refused})


@dg.job(
    name="catch_up_subscriptions",
    description="Finds completed runs that the sensor missed while it was away; safe to launch at any time.",
)
def catch_up_subscriptions() -> None:
    """One op: the look without a cursor."""
    catch_up_op()


catch_up_hourly = dg.ScheduleDefinition(
    name="catch_up_hourly",
    job=catch_up_subscriptions,
    cron_schedule="37 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour at 37 past: start the exports of completed runs that the sensor missed.",
)
