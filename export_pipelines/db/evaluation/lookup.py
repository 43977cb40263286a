"""Finding what a person means: by id, by the beginning of one, or by name."""

import re
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.db import tables
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import NOUNS, deleted, listed, record_of

Named = TypeVar("Named", tables.User, tables.Definition, tables.Run, tables.Experiment)

SHORTEST_PREFIX = 4
LONGEST_TEXT = 500
_UNTYPABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_KINDS: tuple[Any, ...] = (
    tables.Definition,
    tables.Run,
    tables.Scenario,
    tables.Transcript,
    tables.User,
    tables.Experiment,
)


def find_run(database: Database, text: str) -> records.Run:
    """The run with this id, beginning of an id (four characters or more) or exact name.

    Raises:
        NotFoundError: there is none, or it is deleted.
        ValidationError: the text fits several, belongs to something else, or cannot be an id or name at all.
    """
    with database.transaction() as session:
        return record_of(records.Run, find(session, tables.Run, text))


def find_definition(database: Database, text: str) -> records.Definition:
    """The definition with this id, beginning of an id or exact name; errors as :func:`find_run`."""
    with database.transaction() as session:
        return record_of(records.Definition, find(session, tables.Definition, text))


def find_experiment(database: Database, text: str) -> records.Experiment:
    """The experiment with this id, beginning of an id or exact name; errors as :func:`find_run`."""
    with database.transaction() as session:
        return record_of(records.Experiment, find(session, tables.Experiment, text))


def find_user(database: Database, text: str) -> records.User:
    """The user with this e-mail address (in any case), id, beginning of an id or exact name; errors as for runs."""
    with database.transaction() as session:
        if "@" in text:
            return record_of(records.User, _by_email(session, _readable(text, "user")))
        return record_of(records.User, find(session, tables.User, text))


def find(session: Session, model: type[Named], text: str) -> Named:
    """The one live row that the text means; building block of the others."""
    text = _readable(text, NOUNS[model])
    exact = session.get(model, text)
    if exact is not None:
        return _live(exact)
    matches = _matches(session, model, text)
    live = [row for row in matches if getattr(row, "deleted_at", None) is None]
    if len(live) > 1:
        raise _ambiguous(text, NOUNS[model], live)
    if live or matches:
        return _live((live or matches)[0])
    raise _nothing(session, model, text)


def _matches(session: Session, model: type[Named], text: str) -> list[Named]:
    """Rows of that name; where there are none, rows whose id begins so. The newest first."""
    order = (model.created_at.desc(), model.id)
    named = list(session.scalars(select(model).where(model.name == text).order_by(*order)))
    if named or len(text) < SHORTEST_PREFIX or not looks_like_id(text):
        return named
    # The pattern is safe: what looks like an id holds letters and digits only.
    return list(session.scalars(select(model).where(model.id.like(f"{text}%")).order_by(*order)))


def _by_email(session: Session, email: str) -> tables.User:
    row = session.scalar(select(tables.User).where(func.lower(tables.User.email) == func.lower(email)))
    if row is None:
        raise NotFoundError(f"There is no user with the e-mail address {email}; check its spelling.")
    return row


def _live(row: Named) -> Named:
    if getattr(row, "deleted_at", None) is not None:
        raise deleted(row)
    return row


def _readable(text: str, noun: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise ValidationError(f"No {noun} is given; give its id or its name.")
    if len(stripped) > LONGEST_TEXT or _UNTYPABLE.search(stripped):
        raise ValidationError(
            f"{stripped[:40]!r} cannot be the id or name of a {noun}: it is too long or holds control characters. "
            "Copy the id again."
        )
    return stripped


def _ambiguous(text: str, noun: str, rows: list[Named]) -> ValidationError:
    candidates = listed([f"{row.id} ({row.name})" if row.name else row.id for row in rows])
    return ValidationError(f"{text!r} fits {len(rows)} {noun}s: {candidates}. Give more of the id.")


def _nothing(session: Session, model: type[Named], text: str) -> NotFoundError | ValidationError:
    noun = NOUNS[model]
    for other in _KINDS:
        if other is not model and session.get(other, text) is not None:
            return ValidationError(
                f"{text} is the id of a {NOUNS[other]}, but a {noun} is needed; give the {noun}'s id."
            )
    if looks_like_id(text) and len(text) < SHORTEST_PREFIX:
        return NotFoundError(
            f"There is no {noun} called {text!r}; the beginning of an id needs at least {SHORTEST_PREFIX} characters."
        )
    return NotFoundError(
        f"There is no {noun} with the id or name {text!r}. Give the whole id, its first {SHORTEST_PREFIX} or more "
        "characters, or the exact name (capitals count)."
    )
