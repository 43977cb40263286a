"""Counts the records in a flat file, in constant memory and without its renderer."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

import yaml

from export_pipelines.core.errors import IntegrityError


def count_records(chunks: Iterator[bytes], *, format_name: str) -> int | None:
    """How many records the (decompressed) file holds; None for a format that has none to count.

    Raises:
        IntegrityError: the file is not of that format.
    """
    count = _COUNTERS.get(format_name)
    return None if count is None else count(chunks)


def _lines(chunks: Iterable[bytes]) -> int:
    """JSON Lines: one record a line, every line ended."""
    count, last = 0, b"\n"
    for chunk in chunks:
        if chunk:
            count += chunk.count(b"\n")
            last = chunk[-1:]
    if last != b"\n":
        raise IntegrityError("the last line has no end")
    return count


def _csv_rows(chunks: Iterable[bytes]) -> int:
    """CSV: line ends outside quotes, the header not counted.

    Quotes are counted, not parsed: in CSV by RFC 4180 a line end is outside quotes when an even number of quotes stands
    before it. So one damaged quote cannot make us hold the rest of the file as one cell, as the csv module would.
    """
    count, inside, last = 0, False, b"\n"
    for chunk in chunks:
        for run in chunk.split(b'"'):
            count += 0 if inside else run.count(b"\n")
            inside = not inside
        inside = not inside  # n quotes split a chunk into n + 1 runs
        last = chunk[-1:] or last
    if inside or last != b"\n":
        raise IntegrityError("the last row has no end" if not inside else "a quote is never closed")
    return max(0, count - 1)


def _scenarios(chunks: Iterator[bytes]) -> int:
    """YAML: entries of the mapping ``scenarios`` at the top, counted from the parser's events."""
    top, inside, count = 0, False, 0
    try:
        for depth, node in nodes(chunks):
            if depth == 1:
                # Keys and values take turns; what follows the key is inside it.
                if top % 2 == 0:
                    inside = isinstance(node, yaml.ScalarEvent) and node.value == "scenarios"
                top += 1
            elif depth == 2 and inside:
                count += 1
    except yaml.YAMLError as error:
        raise IntegrityError(f"the file is no YAML: {' '.join(str(error).split())}") from error
    return count // 2


def nodes(chunks: Iterator[bytes]) -> Iterator[tuple[int, yaml.NodeEvent]]:
    """Every node of a YAML stream with its depth; the document's own is 0."""
    depth = 0
    for event in yaml.parse(io.BufferedReader(_Chunks(chunks)), Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            yield depth, event
            depth += isinstance(event, yaml.CollectionStartEvent)


class _Chunks(io.RawIOBase):
    """Chunks as a file to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what BufferedReader passes
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


_COUNTERS: Mapping[str, Callable[[Iterator[bytes]], int]] = MappingProxyType(
    {"jsonl": _lines, "csv": _csv_rows, "yaml": _scenarios}
)
