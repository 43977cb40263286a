"""What most people would write, over BULK_CSV, wall time: SQLAlchemy's rows and the csv module, and pandas."""

from collections.abc import Sequence
from functools import partial

from benchmarks import same_rows
from benchmarks.figure import Figure, Group
from benchmarks.measured import Measured, interleaved, median, ratio
from benchmarks.workbench import Workbench, say

NAME = "everyday"
KINDS = {"sqlalchemy": "SQLAlchemy + csv", "pandas": "pandas"}
_OURS = "csv"


def measure(bench: Workbench, _: Sequence[str]) -> list[Figure]:
    """The figure is the quicker one's."""
    say("what most people would write ...")
    _check(bench)
    run_id = bench.run(bench.options.middle)
    contestants = {kind: partial(_written, bench, kind, run_id) for kind in KINDS}
    results = interleaved(
        {_OURS: partial(bench.export, "BULK_CSV", run_id), **contestants}, rounds=bench.options.rounds
    )
    ratios = {kind: ratio(results, kind, _OURS) for kind in KINDS}

    def peak(who: str) -> float:
        return median(results, who, of=lambda measured: measured.peak_mib)

    each = (
        f"{title} {ratios[kind]:.1f} ({median(results, kind):.1f} s, {peak(kind):.0f} MiB)"
        for kind, title in KINDS.items()
    )
    return [
        Figure(
            name=NAME,
            title="what most people would write, over BULK_CSV, wall time",
            value=min(ratios.values()),
            must=3,
            aim=6,
            at_least=True,
            detail=f"{', '.join(each)}; BULK_CSV {median(results, _OURS):.2f} s, {peak(_OURS):.0f} MiB, of "
            f"{bench.options.middle} rows",
        )
    ]


def _check(bench: Workbench) -> None:
    """All three write the same table."""
    run_id = bench.run(bench.options.sizes[0])
    ours = bench.export_and_keep("BULK_CSV", run_id)
    for kind in KINDS:
        path = bench.folder / f"{kind}.csv"
        bench.work("everyday", kind, run_id, path)
        same_rows.check_csv(bench.file_of(ours), path)
        path.unlink()
    bench.remove(ours)


def _written(bench: Workbench, kind: str, run_id: str) -> Measured:
    path = bench.folder / f"{kind}.csv"
    measured = bench.work("everyday", kind, run_id, path)
    path.unlink()
    return measured


GROUPS = (Group(names=(NAME,), measure=measure),)
