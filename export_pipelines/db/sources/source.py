"""What a projection hands to the load step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from export_pipelines.core.frozen import Column


@dataclass(frozen=True, kw_only=True)
class Split:
    """How the rows of a query can be read in ranges of their key, several at a time; no range is found by counting.

    Where the query says ``{range}`` a condition is put in; where it says ``{before}``, how many rows of a group that
    goes on from the range before lie there.

    Attributes:
        keys: columns of the key, in the query's order.
        boundaries: query for the key of every ``%(range_rows)s``-th row, from the first, in order; also ``before``.
        begin, end: conditions that a row is not before ``%(from_<column>)s``, and is before ``%(to_<column>)s``.
        before: expression for ``{before}`` in a range that has a beginning; its parameter is ``%(from_before)s``.
    """

    keys: tuple[str, ...]
    boundaries: str
    begin: str
    end: str
    before: str = "0"

    def statement(self, sql: str, *, begins: bool, ends: bool) -> str:
        """The query for one range; for all rows, when it neither begins nor ends."""
        bounds = [bound for bound, is_there in ((self.begin, begins), (self.end, ends)) if is_there]
        condition = "".join(f" AND {bound}" for bound in bounds)
        return sql.replace("{range}", condition).replace("{before}", self.before if begins else "0")


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
        split: how several readers share the rows; None where they are few.
    """

    context: dict[str, Any]
    sql: str
    params: Mapping[str, Any]
    columns: tuple[Column, ...]
    counted_rows: int
    partial: bool = False
    split: Split | None = None

    @property
    def whole(self) -> str:
        """The query for all rows."""
        return self.sql if self.split is None else self.split.statement(self.sql, begins=False, ends=False)


def typed(**types: str) -> tuple[Column, ...]:
    """Columns from ``name="type"``."""
    return tuple(Column(name=name, type=type_) for name, type_ in types.items())
