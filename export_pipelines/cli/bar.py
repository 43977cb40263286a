"""The progress bar: watches the job's row from a thread of its own, on terminals only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.progress import BarColumn, Progress, TextColumn

from export_pipelines.cli.console import bytes_shown, notes
from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs
from export_pipelines.steps.services import Services

INTERVAL_SECONDS = 0.25


@contextmanager
def progress_bar(services: Services, job: ExportJob) -> Iterator[None]:
    """Show the job's progress on standard error while the block runs; nothing when it is no terminal."""
    if not notes.is_terminal:
        yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[figures]}"),
    )
    stop = threading.Event()
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task("starting", total=100, figures="")

        def watch() -> None:
            while not stop.wait(INTERVAL_SECONDS):
                try:
                    seen = jobs.get(services.database, job.id)
                except ExportPipelinesError:
                    # The bar is a courtesy: the export itself meets the same error and reports it.
                    return
                shown = figures(seen, now=services.clock())
                bar.update(task, completed=seen.progress_percent, description=seen.phase or "starting", figures=shown)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


def figures(job: ExportJob, *, now: datetime) -> str:
    """What is known of the job's work, in words: rows, bytes, rate, time left."""
    parts = []
    if job.rows_total is not None:
        parts.append(f"{job.rows_done:,} of {job.rows_total:,} rows")
    if job.bytes_done:
        parts.append(bytes_shown(job.bytes_done))
    if job.bytes_per_second:
        parts.append(f"{bytes_shown(int(job.bytes_per_second))}/s")
    if job.estimated_finish_at is not None:
        left = max(job.estimated_finish_at.astimezone(UTC) - now, timedelta(0))
        parts.append(f"{timedelta(seconds=round(left.total_seconds()))} left")
    return ", ".join(parts)
