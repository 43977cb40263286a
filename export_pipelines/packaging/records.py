"""The records of a file one by one, each with the id that the database knows it by, in constant memory."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson
import yaml

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.record_counts import nodes

RECORD, PART = "record", "part"
_LARGEST_CELL = 1 << 31
"""The csv module refuses cells over 128 KiB otherwise; a response may be longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """Something in a file that can be there, be missing or be changed.

    Attributes:
        kind: ``record``, ``member`` of an archive, or ``part``: what a file has beside its records.
        id: unique in its kind.
        data: its content; a JSON object where its fields are known by name.
    """

    kind: str
    id: str
    data: bytes


Chunks = Iterator[bytes]


def read_items(chunks: Chunks, *, format_name: str, id_name: str) -> Iterator[Item]:
    """The items of a (decompressed) ``jsonl``, ``csv`` or ``yaml`` file, in its order.

    Args:
        chunks: the file.
        format_name: as in the manifest.
        id_name: which column, or which field of a line, is the id; the keys are, in YAML.

    Raises:
        IntegrityError: the file is not of that format.
    """
    return _READERS[format_name](chunks, id_name)


def fields_of(item: Item) -> Mapping[str, Any]:
    """The item's fields by name; where it has none that are known, all of it as one."""
    try:
        found = json.loads(item.data)
    except ValueError:
        return {"content": item.data}
    return found if isinstance(found, dict) else {"content": found}


def _jsonl(chunks: Chunks, id_name: str) -> Iterator[Item]:
    for line in lines(chunks):
        found = _parsed(line)
        if not isinstance(found, dict) or id_name not in found:
            raise IntegrityError(f"a line is no object with a {id_name}")
        yield Item(kind=RECORD, id=str(found[id_name]), data=line)


def lines(chunks: Chunks) -> Iterator[bytes]:
    """The lines of a file without their ends."""
    waiting: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        waiting.append(first)
        for other in others:
            yield b"".join(waiting)
            waiting = [other]
    if rest := b"".join(waiting):
        yield rest


def _parsed(line: bytes) -> Any:  # noqa: ANN401 - whatever the line holds
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        # The standard library also reads lone surrogates, and numbers too large for a double.
        try:
            return json.loads(line)
        except ValueError as error:
            raise IntegrityError(f"a line is no JSON: {error}") from error


def _csv(chunks: Chunks, id_name: str) -> Iterator[Item]:
    """A row by the names of its columns; cells without text are left out, so a new, empty column changes no row."""
    csv.field_size_limit(_LARGEST_CELL)
    rows = csv.reader(_text_lines(chunks), strict=True)
    try:
        names = next(rows, [])
        if id_name not in names:
            raise IntegrityError(f"the table has no column {id_name}")
        place = names.index(id_name)
        yield Item(kind=PART, id="columns", data=_json(names))
        for row in rows:
            cells = {name: cell for name, cell in zip(names, row, strict=True) if cell}
            yield Item(kind=RECORD, id=row[place], data=_json(cells))
    except (csv.Error, ValueError, IndexError) as error:
        raise IntegrityError(f"the file is no table: {error}") from error


def _text_lines(chunks: Chunks) -> Iterator[str]:
    """Lines with their ends as they are, since a cell may hold any; the first may begin with a byte-order mark."""
    for number, line in enumerate(lines(chunks)):
        yield line.decode("utf-8" if number else "utf-8-sig") + "\n"


def _yaml(chunks: Chunks, _id_name: str) -> Iterator[Item]:
    """Entries under ``scenarios`` by their keys, and everything else at the top by its own."""
    reader = _Scenarios()
    try:
        for depth, node in nodes(chunks):
            yield from reader.take(depth, node.value if isinstance(node, yaml.ScalarEvent) else "")
    except yaml.YAMLError as error:
        raise IntegrityError(f"the file is no YAML: {' '.join(str(error).split())}") from error
    yield from reader.ended()


class _Scenarios:
    """Puts a scenarios file together again from its nodes; at every depth keys and values take turns."""

    def __init__(self) -> None:
        self._keys: dict[int, str] = {}
        self._at_value: dict[int, bool] = {1: False, 2: False, 3: False}
        self._entry: dict[str, str] | None = None

    def take(self, depth: int, text: str) -> Iterator[Item]:
        """The next node; ``text`` is empty for one that is no scalar."""
        if depth not in self._at_value or (depth > 1 and self._keys.get(1) != "scenarios"):
            return
        is_value = self._at_value[depth]
        self._at_value[depth] = not is_value
        if is_value:
            yield from self._value(depth, text)
            return
        if depth < 3:
            yield from self.ended()
        self._keys[depth] = text

    def _value(self, depth: int, text: str) -> Iterator[Item]:
        if depth == 1 and self._keys[1] != "scenarios":
            yield Item(kind=PART, id=self._keys[1], data=_json({self._keys[1]: text}))
        elif depth == 2:
            self._entry, self._at_value[3] = {}, False
        elif depth == 3 and self._entry is not None:
            self._entry[self._keys[3]] = text

    def ended(self) -> Iterator[Item]:
        """The entry that was being read, if there is one."""
        if self._entry is not None:
            yield Item(kind=RECORD, id=self._keys[2], data=_json(self._entry))
        self._entry = None


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


_READERS: Mapping[str, Callable[[Chunks, str], Iterator[Item]]] = MappingProxyType(
    {"csv": _csv, "jsonl": _jsonl, "yaml": _yaml}
)
