"""Progress of a job as one number that only grows: which share each step has, and how often the row hears of it."""

from datetime import datetime

from export_pipelines.core.jobs import JobRef
from export_pipelines.db import jobs
from export_pipelines.steps.services import Services

LOADED = 40
RENDERED = 85
PACKAGED = 95
PUBLISHED = 99
"""Percent reached when each step has ended; 100 is set by the completing update and by nothing else."""

INTERVAL_SECONDS = 1.0
"""At most one update of the row in this time, so that reporting costs nothing beside the work."""


class Progress:
    """Reports a step's progress to the job's row, which also is the worker's heartbeat.

    Raises ``SupersededError`` out of :meth:`report` when the job has moved on (cancelled, another attempt), which
    ends the work within one interval.
    """

    def __init__(self, services: Services, ref: JobRef) -> None:
        self._services = services
        self._ref = ref
        self._last: datetime | None = None

    def report(self, begin: int, end: int, *, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` is done in a step that leads from ``begin`` to ``end`` percent."""
        now = self._services.clock()
        if self._last is not None and (now - self._last).total_seconds() < INTERVAL_SECONDS:
            return
        self._last = now
        share = min(done / total, 1.0) if total else 1.0
        self._write(begin + int((end - begin) * share), now)

    def reach(self, percent: int) -> None:
        """Say that a step has ended."""
        self._write(percent, self._services.clock())

    def _write(self, percent: int, now: datetime) -> None:
        jobs.report_progress(self._services.database, self._ref, percent=percent, now=now)
