r"""Whole exports over psql's ``\copy`` of the same rows to the same disk, wall time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from benchmarks import programs, same_rows, statements
from benchmarks.figure import Figure, Group
from benchmarks.measured import Measured, MeasureError, Results, Work, interleaved, median, ratio
from benchmarks.workbench import Workbench, say


@dataclass(frozen=True, kw_only=True)
class Export:
    """An export that is compared; without ``must`` it is shown only."""

    title: str
    type: str
    options: dict[str, str] = field(default_factory=dict)
    must: float | None = None
    aim: float | None = None


JSON = {
    "jsonl": Export(title="BULK_JSONL", type="BULK_JSONL", must=1.3, aim=0.9),
    "jsonl_gzip": Export(
        title="BULK_JSONL gzip", type="BULK_JSONL", options={"compression": "gzip"}, must=1.5, aim=1.1
    ),
    "jsonl_zstd": Export(
        title="BULK_JSONL zstd", type="BULK_JSONL", options={"compression": "zstd"}, must=1.5, aim=1.1
    ),
    "parquet": Export(title="BULK_PARQUET", type="BULK_PARQUET", must=2.0, aim=1.2),
}
CSV = {
    "csv": Export(title="BULK_CSV", type="BULK_CSV", must=1.5, aim=0.9),
    "csv_flat": Export(title="BULK_CSV flat", type="BULK_CSV", options={"profile": "flat"}),
}
_COPY = "copy"


def measure_json(bench: Workbench, wanted: Sequence[str]) -> list[Figure]:
    r"""Against ``\copy`` of whole transcripts as JSON."""
    run_id, path = bench.run(bench.options.sizes[0]), bench.folder / "copy.jsonl"
    programs.copy(bench, statements.json_lines(run_id), path)
    ours = bench.export_and_keep("BULK_JSONL", run_id)
    same_rows.check_json_lines(bench.file_of(ours), path)
    bench.remove(ours)
    run_id = bench.run(bench.options.rows)
    copy = partial(programs.copy, bench, statements.json_lines(run_id), path)
    return _compared(bench, {name: JSON[name] for name in wanted}, run_id, copy)


def measure_csv(bench: Workbench, wanted: Sequence[str]) -> list[Figure]:
    r"""Against ``\copy`` of the summary as CSV."""
    run_id, path = bench.run(bench.options.sizes[0]), bench.folder / "copy.csv"
    programs.copy(bench, statements.summary_csv(run_id), path)
    ours = bench.export_and_keep("BULK_CSV", run_id)
    same_rows.check_csv(bench.file_of(ours), path)
    bench.remove(ours)
    run_id = bench.run(bench.options.rows)
    copy = partial(programs.copy, bench, statements.summary_csv(run_id), path)
    return _compared(bench, {name: CSV[name] for name in wanted}, run_id, copy)


def _compared(bench: Workbench, exports: dict[str, Export], run_id: str, copy: Work) -> list[Figure]:
    contestants: dict[str, Work] = {_COPY: partial(_copied, bench, copy)}
    for name, export in exports.items():
        contestants[name] = partial(bench.export, export.type, run_id, **export.options)
    say(f"\\copy and {', '.join(export.title for export in exports.values())} ...")
    # Nobody is the one who reads the rows from disk for the others.
    contestants[_COPY]()
    results = interleaved(contestants, rounds=bench.options.rounds)
    counts = {int(measured.facts["rows"]) for of_one in results.values() for measured in of_one}
    if counts != {bench.options.rows}:
        raise MeasureError(f"there are {bench.options.rows} transcripts, but {sorted(counts)} were written")
    return [_figure(name, export, results) for name, export in exports.items()]


def _copied(bench: Workbench, copy: Work) -> Measured:
    measured = copy()
    for left in bench.folder.glob("copy.*"):
        left.unlink()
    return measured


def _figure(name: str, export: Export, results: Results) -> Figure:
    def of(who: str, attribute: str) -> float:
        return median(results, who, of=lambda measured: getattr(measured, attribute))

    def made_of(who: str) -> str:
        client, server = of(who, "cpu_seconds"), of(who, "server_seconds")
        return f"{of(who, 'seconds'):.2f} s (CPU {client:.1f} s client + {server:.1f} s server)"

    process = median(results, name, of=lambda measured: measured.facts["process_seconds"])
    return Figure(
        name=name,
        title=f"{export.title} over \\copy, wall time",
        value=ratio(results, name, _COPY),
        must=export.must,
        aim=export.aim,
        detail=f"{made_of(name)}, with the interpreter's start {process:.2f} s; \\copy {made_of(_COPY)}",
    )


GROUPS = (
    Group(names=tuple(JSON), measure=measure_json),
    Group(names=tuple(CSV), measure=measure_csv),
)
