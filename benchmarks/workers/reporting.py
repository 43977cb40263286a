"""What reporting progress costs one whole export: ``TYPE RUN_ID``.

Comparing exports with and without it cannot tell 1 % from the machine's own unrest, which is 5 % and more. So the cost
is counted where it arises, in one export, in CPU seconds:

* the thread that reports, by its own CPU clock, from its start to its end; the last report of a block, by the CPU clock
  of the thread that makes it;
* the database's session that serves the reports, by the kernel's count of the nanoseconds it ran, from when the
  connection is taken from the pool until the report is committed;
* every ``advance`` of the working thread: how many there were, times what one costs.

The working thread never waits for a report, but it shares a processor's time with it; so the CPU seconds of reporting
over those of everything else are the most that it can slow the work by.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import event

from benchmarks.data import USER_EMAIL
from benchmarks.usage import Usage
from export_pipelines.cli import session
from export_pipelines.core.jobs import JobRef
from export_pipelines.steps.export import run_export
from export_pipelines.steps.progress import RENDERING, Progress
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, submit

ADVANCES = 200_000


class Account:
    """What reporting has cost so far."""

    def __init__(self) -> None:
        self.advances = self.reports = 0
        self.client_seconds = self.server_seconds = 0.0
        self._lock = threading.Lock()
        self._here = threading.local()

    def watch(self, services: Services) -> Any:  # noqa: ANN401 - a context manager of mock's own kind
        """Count while the block lasts."""
        event.listen(services.database.engine, "checkout", self._checked_out)
        tick, report, advance = Progress._tick, Progress._report, Progress.advance

        def counted_tick(progress: Progress) -> None:
            self._here.ticks = True
            tick(progress)
            # A thread's clock begins with the thread.
            self._add(client=time.thread_time())

        def counted_report(progress: Progress) -> Any:  # noqa: ANN401 - the job, passed on
            self._here.session = None
            began = time.thread_time()
            try:
                return report(progress)
            finally:
                own = 0.0 if getattr(self._here, "ticks", False) else time.thread_time() - began
                self._add(client=own, server=self._served(), reports=1)

        def counted_advance(progress: Progress, *, rows: int = 0, size: int = 0) -> None:
            self.advances += 1
            advance(progress, rows=rows, size=size)

        return mock.patch.multiple(Progress, _tick=counted_tick, _report=counted_report, advance=counted_advance)

    def _checked_out(self, connection: Any, *_: object) -> None:  # noqa: ANN401 - the driver's connection
        pid = connection.info.backend_pid
        self._here.session = (pid, _ran(pid))

    def _served(self) -> float:
        """CPU seconds of the session since its connection was taken from the pool, by this thread."""
        if getattr(self._here, "session", None) is None:
            return 0.0
        pid, before = self._here.session
        ran: float = _ran(pid) - before
        return ran

    def _add(self, *, client: float = 0.0, server: float = 0.0, reports: int = 0) -> None:
        with self._lock:
            self.client_seconds += client
            self.server_seconds += server
            self.reports += reports


def _ran(pid: int) -> float:
    """Seconds that a process has run; to the nanosecond, where its CPU times are to the hundredth of a second."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def seconds_an_advance(services: Services) -> float:
    """What one call costs, without the counting around it."""
    ref = JobRef(job_id="nobody's", attempt=1, type="BULK_JSONL", user_id="nobody")
    progress = Progress(services, ref, RENDERING, rows_total=ADVANCES)
    began = time.thread_time()
    for _ in range(ADVANCES):
        progress.advance(rows=1, size=1)
    return (time.thread_time() - began) / ADVANCES


def main() -> None:
    type_name, run_id = sys.argv[1:]
    account = Account()
    with session.services() as services:
        one = seconds_an_advance(services)
        with account.watch(services):
            usage = Usage()
            job = submit(services, Order(type=type_name, user=USER_EMAIL, run_id=run_id))
            done = run_export(services, job.id)
            said: dict[str, Any] = usage.so_far()
    said |= {
        "job_id": done.id,
        "reports": account.reports,
        "advances": account.advances,
        "reporting_client_seconds": account.client_seconds,
        "reporting_server_seconds": account.server_seconds,
        "advancing_seconds": account.advances * one,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
