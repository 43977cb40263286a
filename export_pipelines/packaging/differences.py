"""What two versions of a file hold: what one has alone, and what both have but differently; by id, in any order.

Ids and digests go into a temporary SQLite file, so memory does not grow with the records, and a record that has moved
to another place is still the same record.
"""

import enum
import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from export_pipelines.packaging.records import Item, fields_of

LISTED_MAX = 100
"""Differences of one kind and state that are named; all are counted."""

_CACHE_KIB = 32 * 1024
_DIGEST_BYTES = 16

Side = Callable[[], Iterator[Item]]
"""Reads one version from its beginning."""

Key = tuple[str, str]


class State(enum.StrEnum):
    """How an item differs."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One item that differs.

    Attributes:
        fields: names of what changed, of changed items.
    """

    kind: str
    id: str
    state: State
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Differences:
    """All there is to say.

    Attributes:
        listed: the first :data:`LISTED_MAX` of each kind and state, by id.
        counts: how many there are of each kind and state; nothing where there are none.
        compared: items of each kind in the first version.
    """

    listed: tuple[Difference, ...]
    counts: Mapping[tuple[str, State], int]
    compared: Mapping[str, int]


_QUERIES = {
    State.MISSING: "SELECT a.kind, a.id FROM before a LEFT JOIN after b USING (kind, id) WHERE b.id IS NULL",
    State.EXTRA: "SELECT b.kind, b.id FROM after b LEFT JOIN before a USING (kind, id) WHERE a.id IS NULL",
    State.CHANGED: "SELECT a.kind, a.id FROM before a JOIN after b USING (kind, id) WHERE a.digest <> b.digest",
}


def differences(before: Side, after: Side, *, folder: Path) -> Differences:
    """Compare what ``before`` has with what ``after`` has.

    Args:
        before: reads the first; called twice when something changed: for all items, and for the changed ones' fields.
        after: reads the second, likewise.
        folder: takes the temporary file, of about 100 bytes an item.
    """
    with closing(sqlite3.connect(folder / "differences.sqlite", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        for table, side in (("before", before), ("after", after)):
            _fill(connection, table, side)
        compared = dict(connection.execute("SELECT kind, count(*) FROM before GROUP BY kind ORDER BY kind DESC"))
        found = _Found()
        for state, query in _QUERIES.items():
            for kind, id_ in connection.execute(f"{query} ORDER BY 1 DESC, 2"):
                found.add(kind, id_.decode("utf-8", "surrogatepass"), state)
    names = _changed_fields(before, after, found.changed())
    return Differences(listed=tuple(found.named(names)), counts=found.counts, compared=compared)


def _fill(connection: sqlite3.Connection, table: str, side: Side) -> None:
    connection.execute(f"CREATE TABLE {table} (kind, id, digest, PRIMARY KEY (kind, id)) WITHOUT ROWID")
    connection.execute("BEGIN")
    connection.executemany(
        f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)",  # noqa: S608 - one of our two names
        ((item.kind, item.id.encode("utf-8", "surrogatepass"), _digest(item.data)) for item in side()),
    )
    connection.execute("COMMIT")


class _Found:
    """Counts all, keeps the first of each kind and state."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, State], int] = {}
        self._kept: list[tuple[str, str, State]] = []

    def add(self, kind: str, id_: str, state: State) -> None:
        count = self.counts[kind, state] = self.counts.get((kind, state), 0) + 1
        if count <= LISTED_MAX:
            self._kept.append((kind, id_, state))

    def changed(self) -> frozenset[Key]:
        return frozenset((kind, id_) for kind, id_, state in self._kept if state is State.CHANGED)

    def named(self, fields: Mapping[Key, tuple[str, ...]]) -> Iterator[Difference]:
        for kind, id_, state in self._kept:
            yield Difference(kind=kind, id=id_, state=state, fields=fields.get((kind, id_), ()))


def _changed_fields(before: Side, after: Side, wanted: frozenset[Key]) -> dict[Key, tuple[str, ...]]:
    """The names of the fields that differ, of the wanted items only."""
    if not wanted:
        return {}
    known = {key: _digests(item) for key, item in _select(before, wanted)}
    return {key: _differing(known[key], _digests(item)) for key, item in _select(after, wanted)}


def _select(side: Side, wanted: frozenset[Key]) -> Iterator[tuple[Key, Item]]:
    for item in side():
        if (item.kind, item.id) in wanted:
            yield (item.kind, item.id), item


def _digests(item: Item) -> dict[str, bytes]:
    """A digest a field; of a field that is an object, one a field of that."""
    found: dict[str, bytes] = {}
    for name, value in fields_of(item).items():
        inner = {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, dict) else {}
        found |= {key: _digest(_plain(one)) for key, one in (inner or {name: value}).items()}
    return found


def _differing(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> tuple[str, ...]:
    return tuple(sorted(name for name in {*one, *other} if one.get(name) != other.get(name)))


def _plain(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Halves of surrogate pairs, and numbers beyond 64 bits.
        return repr(value).encode("utf-8", "backslashreplace")


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
