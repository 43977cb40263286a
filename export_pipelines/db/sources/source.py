"""What a projection hands to the load step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from export_pipelines.core.frozen import Column


@dataclass(frozen=True, kw_only=True)
class Source:
    """What one export reads: the small facts already read, and the query for its rows.

    Attributes:
        context: facts and lookups that renderers need besides the rows; JSON types only.
        sql: the row query, for ``Snapshot.copy``; its order is total, and the same on every machine.
        params: of the query.
        columns: of the query, exactly as it casts them.
        counted_rows: how many rows the query gives, counted in the same snapshot.
        partial: the run was not finished.
    """

    context: dict[str, Any]
    sql: str
    params: Mapping[str, Any]
    columns: tuple[Column, ...]
    counted_rows: int
    partial: bool = False


def typed(**types: str) -> tuple[Column, ...]:
    """Columns from ``name="type"``."""
    return tuple(Column(name=name, type=type_) for name, type_ in types.items())
