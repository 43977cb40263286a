"""Building blocks inside a transaction: rows that must be there, and rows turned into records."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from export_pipelines.core import scenarios, transcripts
from export_pipelines.core.definitions import content_version
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.db import tables
from export_pipelines.db.tables import Base

Row = TypeVar("Row", bound=Base)
Record = TypeVar("Record")

NOUNS: dict[type[Base], str] = {
    tables.User: "user",
    tables.ApiKey: "API key",
    tables.Definition: "definition",
    tables.Tag: "tag",
    tables.Scenario: "scenario",
    tables.Run: "run",
    tables.Transcript: "transcript",
    tables.Experiment: "experiment",
    tables.RunComparison: "comparison",
    tables.AnalysisResult: "analysis result",
    tables.Rubric: "rubric",
}
"""What messages call a row of each table."""


def live(session: Session, model: type[Row], row_id: str, *, lock: bool = False) -> Row:
    """The row with this id, provided that it is not deleted.

    Args:
        session: the open transaction.
        model: its table.
        row_id: its id.
        lock: keep others from changing it until the transaction ends; rows that point at it may still be made.

    Raises:
        NotFoundError: there is no such row, or it is deleted.
    """
    row = session.get(model, row_id, with_for_update={"key_share": True} if lock else None, populate_existing=lock)
    if row is None:
        raise NotFoundError(f"There is no {NOUNS[model]} with the id {row_id!r}; check the id.")
    if getattr(row, "deleted_at", None) is not None:
        raise deleted(row)
    return row


def deleted(row: Base) -> NotFoundError:
    """The error for a row that is there, but deleted."""
    moment = f"{row.deleted_at:%Y-%m-%d %H:%M} UTC"  # type: ignore[attr-defined] # only called for tables that have it
    noun = NOUNS[type(row)]
    return NotFoundError(f"The {noun} {row.id} was deleted on {moment}; choose another.")  # type: ignore[attr-defined]


def created(session: Session, row: Row) -> Row:
    """The row after it was inserted, with the database's defaults in it."""
    session.add(row)
    session.flush()
    return row


def changed(row: Base, **values: object) -> None:
    """Set those of the values that are not None: None means that the caller leaves the column alone."""
    for name, value in values.items():
        if value is not None:
            setattr(row, name, value)


def need_text(value: str, *, what: str) -> str:
    """The value without blanks around it, provided that something is left.

    Raises:
        ValidationError: it is empty.
    """
    stripped = value.strip()
    if not stripped:
        raise ValidationError(f"{what} is empty; give some text.")
    return stripped


def records_of(session: Session, kind: type[Record], query: Select[Any]) -> tuple[Record, ...]:
    """What a query for whole rows finds, as records."""
    return tuple(record_of(kind, row) for row in session.scalars(query))


def record_of(kind: type[Record], row: Base) -> Record:
    """The row as a record of this kind: equal names, and what the record reads out of the content.

    Raises:
        ContentError: the content has an unknown version or a wrong shape; the message names the row.
    """
    values = _values(row, (field.name for field in fields(kind)))  # type: ignore[arg-type] # every kind is a dataclass
    if isinstance(row, tables.Definition):
        content_version(row.content, where=f"definition {row.id}")
    elif isinstance(row, tables.Scenario):
        values["content"] = scenarios.read(row.content, where=f"scenario {row.id}")
    elif isinstance(row, tables.Transcript):
        values["turns"] = _turns(row)
    return kind(**values)


def _values(row: Base, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names if name != "turns"}


def _turns(row: tables.Transcript) -> tuple[transcripts.Turn, ...] | None:
    if row.content is None:
        return None
    return transcripts.read_turns(row.content, where=f"transcript {row.id}")


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """A few names for a message, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
