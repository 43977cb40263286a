"""Walking along the audit log's chain, to the first place where it is not what was written."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from export_pipelines.core.audit import START, ChainedRow, Link, hash_of

SEARCHED = 1_000_000
"""Places before and after its own that a row may have been written at: some seconds' work, done once."""
BEYOND = 100
"""Places after the last one that are tried too: rows there may have been removed."""


class Damage(enum.StrEnum):
    """What happened to a row."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"


@dataclass(frozen=True, kw_only=True)
class Break:
    """The first place where the chain is broken.

    Attributes:
        position: of the row that was changed, removed, inserted or moved; None for one that has no place.
        detail: which row it is and how that is known.
    """

    damage: Damage
    position: int | None
    detail: str

    def __str__(self) -> str:
        """One line for people."""
        where = "a row without a place" if self.position is None else f"the row at position {self.position}"
        return f"{where} was {self.damage}: {self.detail}"


@dataclass(frozen=True, kw_only=True)
class Walked:
    """How far the chain holds.

    Attributes:
        rows: how many rows are as they were written.
        end: the last of them.
        marks: the hashes at the positions that were asked for.
        broken: the first damage; None when all rows are as they were written.
    """

    rows: int
    end: Link
    marks: dict[int, str]
    broken: Break | None


def walk(
    rows: Iterable[ChainedRow], *, start: Link | None = START, head: Link | None = None, marks: Iterable[int] = ()
) -> Walked:
    """Go along the rows until one is not what was written.

    Args:
        rows: in the order of their positions, those without one last.
        start: what the first row must be chained to; None where that is not known, as in a part of a log.
        head: where the log itself says that the chain ends; None where it says nothing.
        marks: positions whose hashes are wanted.
    """
    wanted, found = set(marks), dict[int, str]()
    end, count, broken = start, 0, None
    for row in rows:
        broken = _damage(row, end, head)
        if broken is not None:
            break
        if end is None:
            end = Link(position=(row.position or 0) - 1, hash=row.previous_hash or "")
            found |= {end.position: end.hash} if end.position in wanted else {}
        end, count = _link(row), count + 1
        if end.position in wanted:
            found[end.position] = end.hash
    end = end or START
    return Walked(rows=count, end=end, marks=found, broken=broken or _at_the_end(end, head))


def _damage(row: ChainedRow, before: Link | None, head: Link | None) -> Break | None:
    if row.position is None:
        return _broken(Damage.INSERTED, None, f"{_named(row)} came into the table past the chain")
    expected = row.position if before is None else before.position + 1
    if row.position > expected:
        return _broken(Damage.REMOVED, expected, f"the next that is there is {_named(row)} at position {row.position}")
    if row.position < expected:
        return _broken(Damage.INSERTED, row.position, f"{_named(row)} stands where another row stands already")
    if hash_of(row) != row.hash:
        return _moved(row, row.position, last=head.position if head else row.position) or _broken(
            Damage.CHANGED, row.position, f"{_named(row)} does not give the hash that was written with it"
        )
    if before is not None and row.previous_hash != before.hash:
        return _unchained(row, before)
    return None


def _moved(row: ChainedRow, stands: int, *, last: int) -> Break | None:
    """Whether the row is whole, but was written at another position."""
    places = range(max(1, stands - SEARCHED), min(max(last, stands) + BEYOND, stands + SEARCHED) + 1)
    written = next((place for place in places if place != stands and hash_of(row, position=place) == row.hash), None)
    if written is None:
        return None
    if written < stands:
        return _broken(Damage.INSERTED, written, f"{_named(row)} was written there and now stands at {stands}")
    return _broken(
        Damage.MOVED,
        stands,
        f"{_named(row)} was written at position {written}; rows changed places, or those before it were removed and "
        "the rest numbered anew",
    )


def _unchained(row: ChainedRow, before: Link) -> Break:
    if before.position == 0:
        return _broken(Damage.REMOVED, 1, f"the chain begins anew with {_named(row)}, which was chained to another row")
    return _broken(
        Damage.CHANGED,
        before.position,
        f"it was written anew after {_named(row)} had been chained to it",
    )


def _at_the_end(end: Link, head: Link | None) -> Break | None:
    if head is None or head == end:
        return None
    if head.position > end.position:
        detail = f"the chain reached position {head.position}, but ends at {end.position}"
        return _broken(Damage.REMOVED, end.position + 1, detail)
    if head.position < end.position:
        return _broken(Damage.INSERTED, head.position + 1, f"the chain was at its end at position {head.position}")
    return _broken(Damage.CHANGED, end.position, "the end of the chain was written down with another hash")


def _link(row: ChainedRow) -> Link:
    return Link(position=row.position or 0, hash=row.hash or "")


def _named(row: ChainedRow) -> str:
    return f"row {row.id} ({row.action} at {row.at}, job {row.job_id or '-'})"


def _broken(damage: Damage, position: int | None, detail: str) -> Break:
    return Break(damage=damage, position=position, detail=detail)
