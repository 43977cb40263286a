"""Progress: what a step has done, told to the job's row by a thread, at next to no cost to the work itself."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Self

from export_pipelines.core.errors import ExportPipelinesError, UnavailableError
from export_pipelines.core.frozen import Segment
from export_pipelines.core.jobs import ExportJob, JobRef
from export_pipelines.core.progress import Phase, Report
from export_pipelines.db import jobs
from export_pipelines.packaging.staging import OpenSegment
from export_pipelines.steps.services import Services

FREEZING = Phase(name="freezing rows", begin=0, end=40)
STREAMING = Phase(name="reading and rendering rows", begin=0, end=85)
RENDERING = Phase(name="rendering", begin=40, end=85)
PACKAGING = Phase(name="packaging", begin=85, end=95)
PUBLISHING = Phase(name="publishing", begin=95, end=99)
"""100 is set by the completing update and by nothing else."""

INTERVAL_SECONDS = 1.5
"""Between two reports of one step: a watcher hears of it every two seconds also when the database is slow."""

FIRST_SECONDS = 0.3
"""Before the first: shorter steps write once, when they end; longer ones have been silent while Dagster began them."""

INTERRUPT_AGAIN_SECONDS = 0.5
"""Between two orders to work that has to end, and has not yet."""

TELL_SECONDS = 10.0
"""Between two notes to ``Services.tell``: what listens there, Dagster's event log, is slow and keeps everything."""


class Progress:
    """Counts while its block runs and reports to the job's row, which also is the worker's heartbeat.

    The first report comes soon and the last when the block ends well, so that small steps write once.
    When the job has moved on (cancelled, another attempt), :meth:`advance` raises ``SupersededError`` within one
    interval; work that is silent meanwhile, like a query that waits for a lock, is ended by ``interrupt``, from another
    thread, and then fails with the same error. A database that is away for a moment costs a report and nothing more.

    Attributes:
        rows_total, bytes_total: rows and bytes that the phase comes to, to be set as soon as they are known.
    """

    def __init__(
        self,
        services: Services,
        ref: JobRef,
        phase: Phase,
        *,
        message: str = "",
        rows_total: int | None = None,
        shard: int | None = None,
        interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        self.bytes_total: int | None = None
        self.rows_total = rows_total
        self._services = services
        self._ref = ref
        self._phase = phase
        self._message = message or phase.name
        self._interrupt = interrupt
        self._shard = shard
        self._rows = self._bytes = 0
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name=f"progress of {ref.job_id}", daemon=True)
        self._owner = threading.get_ident()
        self._stopped_by: ExportPipelinesError | None = None
        self._to_tell: ExportJob | None = None
        self._told_at: datetime = services.clock()

    def __enter__(self) -> Self:
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._ticker.join()
        if kind is None:
            self._check()
            self._report()
        elif isinstance(error, ExportPipelinesError):
            # What the interruption led to.
            self._check()

    def advance(self, *, rows: int = 0, size: int = 0) -> None:
        """Count what was done.

        Raises:
            SupersededError: the job moved on; stop working.
        """
        self._rows += rows
        self._bytes += size
        self._check()
        # A reader's thread may count too, but what listens need not bear several threads.
        if self._to_tell is not None and threading.get_ident() == self._owner:
            job, self._to_tell = self._to_tell, None
            self._services.tell(job, self._message)

    def counted(self, open_segment: OpenSegment) -> OpenSegment:
        """The same opener; what was read through it counts."""

        @contextmanager
        def opened(segment: Segment) -> Iterator[BinaryIO]:
            with open_segment(segment) as stream:
                yield stream
            self.advance(size=segment.size)

        return opened

    def _check(self) -> None:
        if self._stopped_by is not None:
            raise self._stopped_by

    def _tick(self) -> None:
        due = time.monotonic() + FIRST_SECONDS
        while not self._over.wait(max(0.0, due - time.monotonic())):
            # From when the report begins, for a slow database shall not make the interval longer.
            due = time.monotonic() + INTERVAL_SECONDS
            try:
                job = self._report()
            except UnavailableError:
                # The work itself meets the same error where it matters, and a restart is over soon.
                continue
            except ExportPipelinesError as error:
                self._stopped_by = error
                # Again and again, since the work may be on its way to its next statement just now.
                self._interrupt()
                while not self._over.wait(INTERRUPT_AGAIN_SECONDS):
                    self._interrupt()
                return
            if (job.updated_at - self._told_at).total_seconds() >= TELL_SECONDS:
                self._told_at, self._to_tell = job.updated_at, job

    def _report(self) -> ExportJob:
        report = Report(
            phase=self._phase,
            message=self._message,
            rows_done=self._rows,
            rows_total=self.rows_total,
            bytes_done=self._bytes,
            bytes_total=self.bytes_total,
            shard=self._shard,
        )
        return jobs.report_progress(self._services.database, self._ref, report, now=self._services.clock())
