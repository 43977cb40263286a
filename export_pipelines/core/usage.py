"""Usage: what one user's exports of one type came to on one day, or in one month."""

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime

from export_pipelines.core.cursors import Position


@dataclass(frozen=True, kw_only=True)
class UsageStats:
    """One row of ``exports.export_usage_stats``: what ended on that day.

    Attributes:
        day: UTC.
        exports: how many were completed.
        failures: how often one ended FAILED; a job that fails and is completed by a retry counts here and there.
        rows, bytes: of the completed.
        duration_ms: of the completed, from the beginning of the attempt to its end, added up.
        last_entry: id of the newest audit log entry that was counted.
    """

    user_id: str
    day: date
    type: str
    exports: int
    failures: int
    rows: int
    bytes: int
    duration_ms: int
    last_entry: int

    @property
    def average_seconds(self) -> float | None:
        """How long one took; None when none was completed."""
        return self.duration_ms / 1000 / self.exports if self.exports else None


class Span(enum.StrEnum):
    """What usage is added up over."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class SpanUsage:
    """What ended in a day or a month; fields as in :class:`UsageStats`.

    Attributes:
        begins: the day, or the first of the month, UTC.
    """

    user_id: str
    begins: date
    type: str
    exports: int
    failures: int
    rows: int
    bytes: int
    duration_ms: int

    @property
    def place(self) -> Position:
        """Where it stands in lists: by time, then by user and type."""
        begins = datetime(self.begins.year, self.begins.month, self.begins.day, tzinfo=UTC)
        return Position(at=begins, id=f"{self.user_id}/{self.type}")

    @property
    def average_seconds(self) -> float | None:
        """How long one took; None when none was completed."""
        return self.duration_ms / 1000 / self.exports if self.exports else None
