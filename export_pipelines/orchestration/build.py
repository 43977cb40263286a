"""The assembly: everything Dagster is told, made from the catalog.

Every run of an export imports all of it, which is a good part of a small export's time. So what only a sensor's tick or
another job needs is imported when it is at work, in its function; ``test_definitions.py`` looks that it stays so.
"""

import os
import warnings

import dagster as dg

from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.settings import read_settings
from export_pipelines.orchestration.auditing import checkpoint_hourly, sign_audit_checkpoint
from export_pipelines.orchestration.days import partitions_of
from export_pipelines.orchestration.deliveries import send_deliveries
from export_pipelines.orchestration.executors import executor
from export_pipelines.orchestration.failures import RETRY_DELAY_SECONDS
from export_pipelines.orchestration.jobs import build_job
from export_pipelines.orchestration.metadata import asset_key
from export_pipelines.orchestration.queue import build_launch_sensor
from export_pipelines.orchestration.records import records_io_manager
from export_pipelines.orchestration.resources import DatabaseResource, StoreResource
from export_pipelines.orchestration.schedules import (
    dispatch_exports,
    dispatch_schedules,
    export_day_nightly,
    export_latest_run_nightly,
)
from export_pipelines.orchestration.sensors import (
    cancel_jobs_of_canceled_runs,
    end_work_of_lost_workers,
    fail_jobs_of_failed_runs,
    reconcile_jobs_and_runs,
)
from export_pipelines.orchestration.subscriptions import (
    catch_up_hourly,
    catch_up_subscriptions,
    react_to_completed_runs,
)
from export_pipelines.orchestration.upkeep import sweep_exports, sweep_hourly
from export_pipelines.orchestration.usage import count_usage_daily, count_usage_stats


def build_definitions(*, retry_delay_seconds: float = RETRY_DELAY_SECONDS) -> dg.Definitions:
    """The code location; connects to nothing.

    Raises:
        ValidationError: a setting cannot be read, or ``EXPORT_PIPELINES_EXECUTOR`` names none that we know.
    """
    # Dagster copies a sensor that has jobs, and then warns of an argument that it passed on itself.
    warnings.filterwarnings("ignore", "Parameter `owners` of initializer `SensorDefinition", dg.BetaWarning)
    settings = read_settings(os.environ)
    partitions = {type_.name: partitions_of(type_, first_day=settings.first_day) for type_ in EXPORT_TYPES}
    exports = [
        build_job(type_, retry_delay_seconds=retry_delay_seconds, partitions=partitions[type_.name])
        for type_ in EXPORT_TYPES
    ]
    return dg.Definitions(
        jobs=[
            *exports,
            sweep_exports,
            dispatch_exports,
            catch_up_subscriptions,
            count_usage_stats,
            sign_audit_checkpoint,
        ],
        schedules=[
            sweep_hourly,
            dispatch_schedules,
            export_latest_run_nightly,
            export_day_nightly,
            catch_up_hourly,
            count_usage_daily,
            checkpoint_hourly,
        ],
        sensors=[
            build_launch_sensor(exports),
            fail_jobs_of_failed_runs,
            cancel_jobs_of_canceled_runs,
            end_work_of_lost_workers,
            reconcile_jobs_and_runs,
            react_to_completed_runs,
            send_deliveries,
        ],
        assets=[
            dg.AssetSpec(
                asset_key(type_),
                group_name="exports",
                kinds={"postgres", "file"},
                description=f"{type_.description} Made by the job {type_.job_name}.",
                partitions_def=partitions[type_.name],
            )
            for type_ in EXPORT_TYPES
        ],
        resources={
            "database": DatabaseResource(),
            "store": StoreResource(),
            "io_manager": records_io_manager,
        },
        executor=executor(settings.executor),
    )


def build_job_again(name: str) -> dg.JobDefinition:
    """How a step's own process, which is handed nothing but names, finds the job that it is a step of."""
    return build_definitions().resolve_job_def(name)
