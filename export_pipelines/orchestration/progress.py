"""How a long step comes along, as lines of the run's log."""

from collections.abc import Callable

import dagster as dg

from export_pipelines.core.jobs import ExportJob


def teller(context: dg.OpExecutionContext) -> Callable[[ExportJob, str], None]:
    """What a step tells of its progress goes to the log; the steps know nothing of Dagster."""

    def tell(job: ExportJob, message: str) -> None:
        finish = f"{job.estimated_finish_at:%H:%M:%S} UTC" if job.estimated_finish_at else "unknown"
        context.log.info(
            "%s: %d %% of job %s, %d of %s rows, %.1f MB, %.1f MB/s, estimated finish %s",
            message,
            job.progress_percent,
            job.id,
            job.rows_done,
            "?" if job.rows_total is None else job.rows_total,
            job.bytes_done / 1e6,
            (job.bytes_per_second or 0) / 1e6,
            finish,
        )

    return tell
