"""``make bench``: measure every figure, print the table, keep it; 1 when a figure is not what it must be."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks import machine, report
from benchmarks.figure import Figure, Group
from benchmarks.figures import bundles, composing, copying, everyday, launching, queueing, reporting, serving, sizes
from benchmarks.measured import MeasureError
from benchmarks.options import Options, read_options
from benchmarks.workbench import Workbench, open_workbench, say
from export_pipelines.core.errors import ExportPipelinesError

GROUPS: tuple[Group, ...] = (
    *copying.GROUPS,
    *bundles.GROUPS,
    *everyday.GROUPS,
    *sizes.GROUPS,
    *launching.GROUPS,
    *queueing.GROUPS,
    *composing.GROUPS,
    *reporting.GROUPS,
    *serving.GROUPS,
)


def main() -> int:
    options = read_options(os.environ)
    _check_names(options)
    began = time.monotonic()
    with open_workbench(options) as bench:
        facts = machine.facts(bench)
        figures = [figure for group in GROUPS for figure in _measured(group, bench)]
    print("\n".join(report.lines(figures)))
    seconds = time.monotonic() - began
    if options.only:
        say("The files with the results stay as they are, for these are not all figures.")
    else:
        report.write_json(figures)
        report.write_markdown(figures, options, facts, at=datetime.now(UTC), seconds=seconds)
    return 0 if all(figure.ok for figure in figures) else 1


def _measured(group: Group, bench: Workbench) -> Iterator[Figure]:
    """The group's figures; when one thing fails, the others' half hour is not lost."""
    only = bench.options.only
    wanted = [name for name in group.names if not only or name in only]
    if not wanted:
        return
    try:
        yield from group.measure(bench, wanted)
    except (MeasureError, ExportPipelinesError) as error:
        say(f"{', '.join(wanted)}: {error}")
        for name in wanted:
            yield Figure(name=name, title="could not be measured", value=None, detail=str(error))


def _check_names(options: Options) -> None:
    known = [name for group in GROUPS for name in group.names]
    unknown = options.only.difference(known)
    if unknown:
        say(f"BENCH_ONLY names {', '.join(sorted(unknown))}, but takes {', '.join(known)}.")
        sys.exit(2)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("stopped; the data stay for the next time")
        sys.exit(130)
