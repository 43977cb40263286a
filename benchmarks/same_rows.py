"""That two files hold the same rows in the same order, however each was written: else their times are no comparison."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson

from benchmarks.measured import MeasureError


def check_json_lines(ours: Path, theirs: Path) -> None:
    """Compare every value of every line.

    Raises:
        MeasureError: they differ; the message says where.
    """
    _check(_objects(ours), _objects(theirs), what=f"{ours.name} and {theirs.name}")


def check_csv(ours: Path, theirs: Path) -> None:
    """Compare every cell of every row, column names included.

    Raises:
        MeasureError: they differ; the message says where.
    """
    _check(_cells(ours), _cells(theirs), what=f"{ours.name} and {theirs.name}")


def _check(ours: Iterable[object], theirs: Iterable[object], *, what: str) -> None:
    for number, (one, other) in enumerate(zip_longest(ours, theirs), start=1):
        if one != other:
            raise MeasureError(f"{what} differ in row {number}: {str(one)[:300]} and {str(other)[:300]}")


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            # One instant has several ways to be written.
            row["created_at"] = datetime.fromisoformat(row["created_at"])
            yield row


def _cells(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.reader(lines)
