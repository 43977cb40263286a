"""How far a job has come: what a working step reports, and what follows for percent, rate and estimated finish."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from export_pipelines.core.jobs import ExportJob

SMOOTHING_SECONDS = 8.0
"""The rate is that of about so many past seconds: one slow shard shows, one slow write does not."""

MOST = 99
"""Percent that work can reach; 100 is set by the update that publishes, and by nothing else."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A step's share of the whole: it leads from ``begin`` to ``end`` percent."""

    name: str
    begin: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a step has done of its phase; of one shard, when it names one, and then the shards add up.

    Attributes:
        message: what the step is doing, for people.
        rows_total: rows of the whole export; None for a phase that counts bytes only.
        bytes_total: bytes of the whole phase; None where nobody knows yet.
    """

    phase: Phase
    message: str
    rows_done: int = 0
    rows_total: int | None = None
    bytes_done: int = 0
    bytes_total: int | None = None
    shard: int | None = None

    @property
    def share(self) -> float:
        """How much of the phase is done, 0 to 1."""
        done, total = (self.bytes_done, self.bytes_total) if self._by_bytes else (self.rows_done, self.rows_total)
        if total is None:
            return 0.0
        return min(done / total, 1.0) if total else 1.0

    @property
    def exact_percent(self) -> float:
        """Where the whole export stands after this report."""
        return self.phase.begin + (self.phase.end - self.phase.begin) * self.share

    @property
    def _by_bytes(self) -> bool:
        return self.bytes_total is not None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The columns of a job's row that a report changes, each under its name."""

    progress_percent: int
    phase: str
    rows_done: int
    rows_total: int | None
    bytes_done: int
    bytes_per_second: float | None
    estimated_finish_at: datetime | None


def advanced(before: ExportJob, report: Report, *, now: datetime) -> Standing:
    """The row's figures after the report: percent never falls, and within one phase neither do rows and bytes."""
    same = before.phase == report.phase.name
    bytes_before = before.bytes_done if same else 0
    bytes_done = max(report.bytes_done, bytes_before)
    seconds = (now - before.updated_at).total_seconds()
    rate = smoothed(before.bytes_per_second if same else None, bytes_done - bytes_before, seconds=seconds)
    counts_rows = report.rows_total is not None
    rows_before = before.rows_done if same or not counts_rows else 0
    return Standing(
        progress_percent=max(before.progress_percent, min(int(report.exact_percent), MOST)),
        phase=report.phase.name,
        rows_done=max(report.rows_done, rows_before) if counts_rows else before.rows_done,
        rows_total=report.rows_total if counts_rows else before.rows_total,
        bytes_done=bytes_done,
        bytes_per_second=rate,
        estimated_finish_at=_finish(report, rate, now=now) or _still_ahead(before.estimated_finish_at, now),
    )


def smoothed(rate: float | None, done: int, *, seconds: float) -> float | None:
    """The rate after ``done`` more in ``seconds``, older seconds counting less and less."""
    if seconds <= 0:
        return rate
    current = done / seconds
    if not rate:
        return current
    return rate + (current - rate) * (1 - math.exp(-seconds / SMOOTHING_SECONDS))


def _finish(report: Report, rate: float | None, *, now: datetime) -> datetime | None:
    """When all is done if the phases to come go at this one's speed; None while there is nothing to go by."""
    total = report.bytes_total
    if total is None and report.rows_total is not None and report.rows_done:
        total = report.bytes_done * report.rows_total // report.rows_done
    if not rate or not total:
        return None
    percent_a_second = (report.phase.end - report.phase.begin) * rate / total
    left = (100 - report.exact_percent) / percent_a_second
    # A stalled export would finish after the last day that a calendar has.
    return now + timedelta(seconds=left) if left < timedelta(days=365).total_seconds() else None


def _still_ahead(estimate: datetime | None, now: datetime) -> datetime | None:
    return estimate if estimate is not None and estimate > now else None
