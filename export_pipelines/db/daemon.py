"""What Dagster's own database tells of its daemon: heartbeats, and the last ticks of sensors and schedules.

Read by plain SQL, so that the download service need not import Dagster. The tables are Dagster's (1.13); where they
are not as expected, nothing is known.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.db.database import Database

NEEDED = ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR")
"""The daemon's parts that exports cannot do without, as Dagster names them."""
SILENT_SECONDS = 120
"""Each part writes a heartbeat every half minute."""
KEPT = timedelta(seconds=5)
"""How long what was seen is told again."""
_MOST = 200
"""More sensors and schedules than any code location of ours has; what is beyond is not counted."""

HEARTBEATS = "SELECT daemon_type, max(timestamp) FROM daemon_heartbeats GROUP BY daemon_type LIMIT 50"

# One look into an index for each sensor or schedule, however many ticks there are.
TICKS = """
SELECT i.instigator_type, i.instigator_body, t.status, t.timestamp
FROM instigators i
CROSS JOIN LATERAL (
    SELECT status, timestamp FROM job_ticks t WHERE t.selector_id = i.selector_id ORDER BY t.timestamp DESC LIMIT 1
) t
LIMIT :most
"""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """The last evaluation of a sensor or schedule.

    Attributes:
        status: as Dagster names it: SUCCESS, SKIPPED, FAILURE, STARTED.
    """

    name: str
    kind: str
    status: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """How Dagster's daemon is.

    Attributes:
        heartbeats: when each part was last heard of.
        ticks: the last of each sensor and schedule that ever ticked.
    """

    heartbeats: Mapping[str, datetime]
    ticks: tuple[Tick, ...]

    def stopped(self, now: datetime) -> tuple[str, ...]:
        """The needed parts that have not been heard of for a while, or never."""
        return tuple(
            part
            for part in NEEDED
            if part not in self.heartbeats or (now - self.heartbeats[part]).total_seconds() > SILENT_SECONDS
        )


class DaemonWatch:
    """Looks at the daemon at most every few seconds, however many ask; used by many threads.

    Args:
        database: Dagster's own; None where it is not known.
        clock: the present moment, aware and UTC.
    """

    def __init__(self, database: Database | None, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._looking = threading.Lock()
        self._looked_at: datetime | None = None
        self._seen: Daemon | None = None

    def look(self) -> Daemon | None:
        """How the daemon was a moment ago. While one asks a database that does not answer, others do not wait."""
        now = self._clock()
        if self._looked_at is not None and self._looked_at <= now < self._looked_at + KEPT:
            return self._seen
        if self._looking.acquire(blocking=False):
            try:
                self._seen, self._looked_at = read(self._database), now
            finally:
                self._looking.release()
        return self._seen


def read(database: Database | None) -> Daemon | None:
    """How the daemon is; None where Dagster's database is unknown, away, or not yet made.

    Args:
        database: Dagster's own.
    """
    if database is None:
        return None
    try:
        with database.transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = '5s'"))
            heartbeats = {row[0]: _utc(row[1]) for row in session.execute(text(HEARTBEATS))}
            ticks = tuple(_ticks(session.execute(text(TICKS), {"most": _MOST}).all()))
    except ExportPipelinesError:
        return None
    return Daemon(heartbeats=heartbeats, ticks=ticks)


def _ticks(rows: Any) -> Iterator[Tick]:  # noqa: ANN401 - rows of any table
    for kind, body, status, moment in rows:
        name = _name(body)
        if name is not None:
            yield Tick(name=name, kind=str(kind).lower(), status=status, at=_utc(moment))


def _name(body: str) -> str | None:
    """The name in a stored instigator: ``origin.instigator_name``, called ``job_name`` where it was stored long ago."""
    try:
        origin = json.loads(body)["origin"]
        return str(origin.get("instigator_name") or origin["job_name"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _utc(moment: datetime) -> datetime:
    """Dagster stores UTC without saying so."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
