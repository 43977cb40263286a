"""One Dagster job for each export type, all made by one factory from the catalog."""

import dagster as dg

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.orchestration.failures import NO_RUN_RETRY, RETRY_DELAY_SECONDS
from export_pipelines.orchestration.ops import build_ops


def build_job(
    type_: ExportType,
    *,
    retry_delay_seconds: float = RETRY_DELAY_SECONDS,
    partitions: dg.PartitionsDefinition[str] | None = None,
) -> dg.JobDefinition:
    """The job of one export type: load, render (mapped over shards), package, upload, record."""
    ops = build_ops(type_, retry_delay_seconds=retry_delay_seconds)

    @dg.graph(name=type_.job_name, description=f"{type_.title}. {type_.description}")
    def graph() -> None:
        shards, frozen = ops.load.alias(f"load_{type_.subject}")()
        parts = shards.map(ops.render.alias(f"render_{type_.noun}")).collect()
        packaged = ops.package.alias("package")(frozen, parts)
        ops.record.alias("record_export_job")(ops.upload.alias("upload")(packaged))

    return graph.to_job(
        name=type_.job_name,
        partitions_def=partitions,
        tags={"export/type": type_.name, **NO_RUN_RETRY},
    )
