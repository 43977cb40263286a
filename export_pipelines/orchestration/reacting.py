"""A tick of the sensor of completed runs: what it remembers, does and says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.subscriptions import Position
from export_pipelines.db import subscriptions
from export_pipelines.steps.react import Reacted, react
from export_pipelines.steps.services import Services

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
SLOW = timedelta(seconds=1)
REST = 20
"""After a slow look the sensor rests so many times as long: it takes no more than a twentieth of the database."""
LONGEST_WITH_INDEX = timedelta(seconds=10)
"""Where an index finds the runs, a look that was slow read little: the machine was busy, and will not be for ever."""


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """What the sensor remembers from tick to tick.

    Attributes:
        completed_at, run_id: of the run up to which all is done; None at first, and no id where none is meant.
        rest_until: when to look again, after a look that took long.
    """

    completed_at: Moment | None = None
    run_id: str = ""
    rest_until: Moment | None = None

    @property
    def position(self) -> Position | None:
        """Where to look on from."""
        if self.completed_at is None:
            return None
        return Position(completed_at=self.completed_at, run_id=self.run_id)


def after(reacted: Reacted, *, rest_until: datetime | None) -> Cursor:
    """The cursor after one look."""
    if reacted.position is None:
        return Cursor(rest_until=rest_until)
    place = reacted.position
    return Cursor(completed_at=place.completed_at, run_id=place.run_id, rest_until=rest_until)


def read_cursor(text: str | None) -> Cursor:
    """The cursor as Dagster keeps it.

    Raises:
        ValidationError: somebody wrote another one.
    """
    try:
        return msgspec.json.decode(text, type=Cursor) if text else Cursor()
    except msgspec.MsgspecError as error:
        raise ValidationError(
            f"The cursor {text!r} of react_to_completed_runs cannot be read ({error}). Clear it: nothing is done twice."
        ) from error


def write_cursor(cursor: Cursor) -> str:
    """The cursor as Dagster keeps it."""
    return msgspec.json.encode(cursor).decode()


def tick(services: Services, cursor: Cursor) -> tuple[Cursor, str]:
    """One tick: the cursor after it, and what it did, in a sentence."""
    now = services.clock()
    if cursor.rest_until is not None and now < cursor.rest_until:
        return cursor, (
            f"The last look at the completed runs took long, so the next one is at {cursor.rest_until:%H:%M:%S} UTC. "
            "Where the table has no index on (completed_at, id), one makes looks quick."
        )
    reacted = react(services, cursor.position)
    looked_for = reacted.looked_for or timedelta(0)
    rest_until = now + rest(services, looked_for) if looked_for > SLOW else None
    return after(reacted, rest_until=rest_until), sentence(reacted)


def rest(services: Services, looked_for: timedelta) -> timedelta:
    """How long to leave the runs alone after a slow look."""
    whole = REST * looked_for
    return min(whole, LONGEST_WITH_INDEX) if subscriptions.are_indexed(services.database) else whole


def sentence(reacted: Reacted) -> str:
    """What one look did."""
    if reacted.looked_for is None:
        return "No subscription is active. `export-pipelines subscriptions add` makes one."
    if not reacted.job_ids and not reacted.refused:
        return "No run has completed that a subscription asks for."
    parts = [f"Started {len(reacted.job_ids)} exports of completed runs"]
    if reacted.refused:
        parts.append(f"refused {reacted.refused} (`export-pipelines subscriptions show` says why)")
    return ", ".join(parts) + (", and there are more." if reacted.more else ".")
