"""What a person may set for a run of the benchmarks: the ``BENCH_*`` variables."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """The choices.

    Attributes:
        home: ``BENCH_HOME``, the ``EXPORT_PIPELINES_HOME`` of the benchmarks: their server, their store.
        rows: ``BENCH_ROWS``, transcripts of the run that speed is measured with.
        sizes: ``BENCH_SIZES``, three numbers of transcripts, for memory and growth; the one in the middle also serves
            what would take too long with more.
        rounds: ``BENCH_ROUNDS``, of which a figure is the median.
        launches: ``BENCH_LAUNCHES``, of each Dagster job, and of each way into the queue.
        only: ``BENCH_ONLY``, names of groups of figures; all of them when empty.
    """

    home: Path
    rows: int
    sizes: tuple[int, int, int]
    rounds: int
    launches: int
    only: frozenset[str]

    @property
    def middle(self) -> int:
        """The size that is large enough to measure speed with, and small enough to do it often."""
        return self.sizes[1]


def read_options(environ: Mapping[str, str]) -> Options:
    """The options in the environment; ends the program when one cannot be used."""
    sizes = tuple(
        _number("BENCH_SIZES", text) for text in environ.get("BENCH_SIZES", "10000,100000,1000000").split(",")
    )
    if len(sizes) != 3 or list(sizes) != sorted(set(sizes)):
        sys.exit("BENCH_SIZES takes three numbers of rows, each larger than the one before: 10000,100000,1000000.")
    return Options(
        home=Path(environ.get("BENCH_HOME", ".local/bench")).expanduser().absolute(),
        rows=_number("BENCH_ROWS", environ.get("BENCH_ROWS", "300000")),
        sizes=(sizes[0], sizes[1], sizes[2]),
        rounds=_number("BENCH_ROUNDS", environ.get("BENCH_ROUNDS", "3")),
        launches=_number("BENCH_LAUNCHES", environ.get("BENCH_LAUNCHES", "15")),
        only=frozenset(name.strip() for name in environ.get("BENCH_ONLY", "").split(",") if name.strip()),
    )


def _number(name: str, text: str) -> int:
    digits = text.strip().replace("_", "")
    if not digits.isdecimal() or int(digits) < 1:
        sys.exit(f"{name} is {text!r}, but takes whole numbers of at least 1.")
    return int(digits)
