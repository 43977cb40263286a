"""Choices: the runs and definitions that an export may be of, searched for a form or a program."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from export_pipelines.core.cursors import Position, cursor_of, read_cursor
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.evaluation import search
from export_pipelines.db.evaluation.search import FoundDefinition, FoundRun
from export_pipelines.steps.services import Services

MOST = 100

Found = TypeVar("Found", FoundRun, FoundDefinition)


@dataclass(frozen=True, kw_only=True)
class Choices(Generic[Found]):
    """A page, the newest first, and the cursor of the next; None behind the last."""

    items: tuple[Found, ...]
    next_cursor: str | None


def runs(
    services: Services, text: str = "", *, status: RunStatus | None = None, cursor: str | None = None, limit: int = 20
) -> Choices[FoundRun]:
    """Runs by a piece of their name, or of their definition's, or by the beginning of their id.

    Raises:
        ValidationError: the cursor or the limit cannot be used.
    """
    after = _begin(cursor, limit)
    found = search.search_runs(services.database, text.strip(), status=status, after=after, limit=limit + 1)
    return _choices(found, limit)


def definitions(
    services: Services, text: str = "", *, cursor: str | None = None, limit: int = 20
) -> Choices[FoundDefinition]:
    """Definitions by a piece of their name, or by the beginning of their id.

    Raises:
        ValidationError: the cursor or the limit cannot be used.
    """
    after = _begin(cursor, limit)
    return _choices(search.search_definitions(services.database, text.strip(), after=after, limit=limit + 1), limit)


def _begin(cursor: str | None, limit: int) -> Position | None:
    if not 1 <= limit <= MOST:
        raise ValidationError(f"limit is {limit}, but must be 1 to {MOST}.")
    return None if cursor is None else read_cursor(cursor)


def _choices(found: Sequence[Found], limit: int) -> Choices[Found]:
    page = tuple(found[:limit])
    more = len(found) > limit
    return Choices(
        items=page, next_cursor=cursor_of(Position(at=page[-1].created_at, id=page[-1].id)) if more else None
    )
