"""The audit log's checkpoints as a Dagster job with its schedule."""

from dataclasses import asdict

import dagster as dg

from export_pipelines.db.database import Database
from export_pipelines.orchestration.failures import translated
from export_pipelines.orchestration.resources import services_of
from export_pipelines.storage.store import ObjectStore


@dg.op(
    name="sign_checkpoint",
    description="Look whether the audit log is whole since the last checkpoint, and sign where it ends now.",
    out=dg.Out(dg.Nothing),
)
def sign_checkpoint_op(
    context: dg.OpExecutionContext,
    database: dg.ResourceParam[Database],
    store: dg.ResourceParam[ObjectStore],
) -> None:
    """Sign, and note the checkpoint in Dagster's own database too, which whoever rewrites the log has to think of."""
    from export_pipelines.steps.audit import sign_checkpoint  # noqa: PLC0415 - see build.py

    with translated():
        signed = sign_checkpoint(services_of(database, store))
    context.add_output_metadata({"rows": 0} if signed is None else asdict(signed))


@dg.job(
    name="sign_audit_checkpoint",
    description="Signs where the audit log ends; fails when the log was damaged since the last time.",
)
def sign_audit_checkpoint() -> None:
    """One op: the checkpoint."""
    sign_checkpoint_op()


checkpoint_hourly = dg.ScheduleDefinition(
    name="checkpoint_hourly",
    job=sign_audit_checkpoint,
    cron_schedule="37 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour at 37 past: sign where the audit log ends.",
)
