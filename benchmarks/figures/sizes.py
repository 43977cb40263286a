"""Memory and growth: the same exports of a small, a middling and a large run."""

from collections.abc import Sequence
from functools import partial

from benchmarks.figure import Figure, Group
from benchmarks.measured import Measured, interleaved, median
from benchmarks.workbench import Workbench, say

MEMORY, FLAT, GROWTH = "memory_mib", "memory_flat", "growth"
FORMATS = {
    "JSONL": ("BULK_JSONL", {}),
    "CSV": ("BULK_CSV", {}),
    "JSONL zstd": ("BULK_JSONL", {"compression": "zstd"}),
    "bundle": ("RUN_BUNDLE", {}),
    "Parquet": ("BULK_PARQUET", {}),
}
OFTEN = ("JSONL", "CSV")
"""Formats that are quick enough to be exported in every round; the others' growth is of one round, and only shown."""

Results = dict[str, list[list[Measured]]]
"""By format: for each size, what each round measured."""


def measure(bench: Workbench, wanted: Sequence[str]) -> list[Figure]:
    """One set of exports gives all three figures."""
    labels = OFTEN if list(wanted) == [GROWTH] else tuple(FORMATS)
    results = {label: _exported(bench, label) for label in labels}
    figures = (_memory(bench, results), _flat(bench, results), _growth(bench, results))
    return [figure for figure in figures if figure.name in wanted]


def _exported(bench: Workbench, label: str) -> list[list[Measured]]:
    type_, options = FORMATS[label]
    runs = {rows: bench.run(rows) for rows in bench.options.sizes}
    say(f"{label} of {', '.join(map(str, runs))} rows ...")
    contestants = {str(rows): partial(bench.export, type_, run_id, **options) for rows, run_id in runs.items()}
    results = interleaved(contestants, rounds=bench.options.rounds if label in OFTEN else 1)
    return [list(results[str(rows)]) for rows in runs]


def _memory(bench: Workbench, results: Results) -> Figure:
    peaks = {label: _peaks(sizes) for label, sizes in results.items()}
    each = ", ".join(f"{label} {' / '.join(f'{peak:.0f}' for peak in of_one)}" for label, of_one in peaks.items())
    return Figure(
        name=MEMORY,
        title="most resident memory of any process",
        value=max(max(of_one) for of_one in peaks.values()),
        must=300,
        aim=150,
        unit=" MiB",
        detail=f"MiB at {' / '.join(map(str, bench.options.sizes))} rows: {each}",
    )


def _flat(bench: Workbench, results: Results) -> Figure:
    grown = {label: (peaks := _peaks(sizes))[2] / peaks[1] for label, sizes in results.items()}
    return Figure(
        name=FLAT,
        title=f"peak memory at {bench.options.sizes[2]} rows over {bench.options.sizes[1]} rows, worst format",
        value=max(grown.values()),
        # The issue says "flat"; an allocator's own unrest is a tenth or so.
        must=1.25,
        aim=1.1,
        detail=", ".join(f"{label} {value:.2f}" for label, value in grown.items()),
    )


def _growth(bench: Workbench, results: Results) -> Figure:
    grown = {
        label: _seconds_a_row(bench, sizes, 2) / _seconds_a_row(bench, sizes, 1) for label, sizes in results.items()
    }
    seconds = {label: median({"": sizes[2]}, "") for label, sizes in results.items()}
    return Figure(
        name=GROWTH,
        title=f"seconds a row at {bench.options.sizes[2]} rows over {bench.options.sizes[1]} rows",
        value=max(grown[label] for label in OFTEN),
        must=1.1,
        aim=1.0,
        detail=f"the worse of {' and '.join(OFTEN)}; "
        + ", ".join(f"{label} {value:.2f} ({seconds[label]:.0f} s)" for label, value in grown.items()),
    )


def _peaks(sizes: list[list[Measured]]) -> list[float]:
    return [max(measured.peak_mib for measured in of_size) for of_size in sizes]


def _seconds_a_row(bench: Workbench, sizes: list[list[Measured]], size: int) -> float:
    return median({"": sizes[size]}, "") / bench.options.sizes[size]


GROUPS = (Group(names=(MEMORY, FLAT, GROWTH), measure=measure),)
