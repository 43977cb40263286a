"""A job's place in the queue: how many go before it, and what it waits for."""

import enum
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from export_pipelines.db.database import Database
from export_pipelines.db.jobs.queue import ORDER, TURNS, Limits

# What has to wait for its time, or was not looked at yet, stands behind all whose turn may come.
_PLACE = f"""{TURNS}, line AS (
    SELECT unfinished.id, turn, ready,
        row_number() OVER (ORDER BY turn IS NULL, {ORDER}, unfinished.created_at, unfinished.id) AS place
    FROM unfinished LEFT JOIN turns ON turns.id = unfinished.id WHERE waits
)
SELECT place, turn > :per_user AS over, NOT ready AS early,
    (SELECT coalesce(sum(running), 0) FROM users) >= :total AS full_up
FROM line WHERE id = :id
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


def place_of(database: Database, job_id: str, *, limits: Limits, now: datetime) -> Place | None:
    """The job's place now; None when it does not wait, or has been promised a run."""
    values = {"id": job_id, "now": now, "total": limits.total, "per_user": limits.per_user}
    with database.transaction() as session:
        found = session.execute(text(database.sql(_PLACE)), values).one_or_none()
    if found is None:
        return None
    reasons = {WaitsFor.ITS_TIME: found.early, WaitsFor.OWN_JOBS: found.over, WaitsFor.ROOM: found.full_up}
    return Place(
        position=found.place, waits_for=next((why for why, holds in reasons.items() if holds), WaitsFor.LAUNCH)
    )
