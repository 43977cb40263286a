"""Places in the queue: how many go before a job, and what it waits for."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from export_pipelines.db.database import Database
from export_pipelines.db.jobs.queue import ORDER, TURNS, Limits

# What has to wait for its time, or was not looked at yet, stands behind all whose turn may come.
_PLACE = f"""{TURNS}, line AS (
    SELECT unfinished.id, turn, ready,
        row_number() OVER (ORDER BY turn IS NULL, {ORDER}, unfinished.created_at, unfinished.id) AS place
    FROM unfinished LEFT JOIN turns ON turns.id = unfinished.id WHERE waits
)
SELECT id, place, turn > :per_user AS over, NOT ready AS early,
    (SELECT coalesce(sum(running), 0) FROM users) >= :total AS full_up
FROM line WHERE id = ANY(:ids)
"""  # noqa: S608 - all of it stands here


class WaitsFor(enum.StrEnum):
    """Why a job was not launched yet."""

    LAUNCH = "launch"
    ROOM = "room"
    OWN_JOBS = "own_jobs"
    ITS_TIME = "its_time"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a job stands in the queue.

    Attributes:
        position: 1 for the one that is launched next; users take turns, so who comes later may go before.
        waits_for: ``launch`` when it may be launched at once, ``room`` while as many exports run as may, ``own_jobs``
            while as many of its user's run as may, ``its_time`` while it pauses because a worker of its was lost.
    """

    position: int
    waits_for: WaitsFor


def places_of(database: Database, job_ids: Iterable[str], *, limits: Limits, now: datetime) -> Mapping[str, Place]:
    """The places now, by id, of those of the jobs that wait and have not been promised a run."""
    values = {"ids": list(job_ids), "now": now, "total": limits.total, "per_user": limits.per_user}
    if not values["ids"]:
        return {}
    with database.transaction() as session:
        return {row.id: _place(row) for row in session.execute(text(database.sql(_PLACE)), values)}


def _place(row: Row[Any]) -> Place:
    reasons = {WaitsFor.ITS_TIME: row.early, WaitsFor.OWN_JOBS: row.over, WaitsFor.ROOM: row.full_up}
    return Place(position=row.place, waits_for=next((why for why, holds in reasons.items() if holds), WaitsFor.LAUNCH))
