"""The progress bar: watches the job's row from a thread of its own, on terminals only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from export_pipelines.cli.console import notes
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
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    stop = threading.Event()
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task(job.title, total=100)

        def watch() -> None:
            while not stop.wait(INTERVAL_SECONDS):
                try:
                    bar.update(task, completed=jobs.get(services.database, job.id).progress_percent)
                except ExportPipelinesError:
                    # The bar is a courtesy: the export itself meets the same error and reports it.
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
