"""Refused links in the audit log: enough of them to see what goes on, never so many that a stranger could fill it.

A refusal is written when it is the first of its export and reason, and then once a minute with the number of those that
came meanwhile. Forged links name no export that could be believed, so all of them together count as one. Strangers can
make forged links without end, but links to exports only where they were given genuine ones; so rows are at most one a
minute for each genuine link's export and reason, and never more than :data:`MOST_A_MINUTE` in all.
"""

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.db import audit
from export_pipelines.db.database import Database

logger = logging.getLogger(__name__)

QUIET = timedelta(minutes=1)
MOST_A_MINUTE = 120
_REMEMBERED = 10_000


@dataclass(kw_only=True)
class _Seen:
    """When a refusal of one kind was last written, and how many came since."""

    written_at: datetime
    since: int = 0


class Refusals:
    """Counts every refusal, and writes some; used by many threads."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str | None, str], _Seen] = OrderedDict()
        self._written: list[datetime] = []
        self._counts: Counter[str] = Counter()

    def counts(self) -> Mapping[str, int]:
        """How many links this process has refused so far, by the problem's code."""
        with self._lock:
            return dict(self._counts)

    def note(self, *, job_id: str | None, code: str, status: int, actor: audit.Actor) -> None:
        """Count a refusal, and write it down when it is time; a database that is away does not change the answer.

        Args:
            job_id: the export that a genuine link names; None for a forged one.
            code: of the problem.
            status: of the answer.
            actor: who came.
        """
        now = self._clock()
        repeated = self._due(job_id, code, now)
        if repeated is None:
            return
        data = {"code": code, "status": status, "repeated": repeated}
        try:
            with self._database.transaction() as session:
                audit.record(session, job_id=job_id, action="link_refused", at=now, actor=actor, data=data)
        except ExportPipelinesError as error:
            logger.warning("refusal not audited reason=%s", error)

    def _due(self, job_id: str | None, code: str, now: datetime) -> int | None:
        """How many refusals of this kind were not written since the last that was; None when none is to be written."""
        key = (job_id, code)
        with self._lock:
            self._counts[code] += 1
            seen = self._seen.get(key)
            self._written = [moment for moment in self._written if moment > now - QUIET]
            if len(self._written) >= MOST_A_MINUTE or (seen is not None and now < seen.written_at + QUIET):
                if seen is not None:
                    seen.since += 1
                return None
            self._written.append(now)
            self._seen[key] = _Seen(written_at=now)
            self._seen.move_to_end(key)
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return 0 if seen is None else seen.since
