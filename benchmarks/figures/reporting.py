"""What reporting progress adds to an export's CPU seconds, ours and the database's together.

How it is counted, and why not by leaving it out: :mod:`benchmarks.workers.reporting`.
"""

import statistics
from collections.abc import Sequence

from benchmarks.figure import Figure, Group
from benchmarks.measured import Measured
from benchmarks.workbench import Workbench, say

NAME = "progress"
TYPES = ("BULK_JSONL", "BULK_CSV", "RUN_BUNDLE")
_PARTS = ("reporting_client_seconds", "reporting_server_seconds", "advancing_seconds")


def measure(bench: Workbench, _: Sequence[str]) -> list[Figure]:
    """Of the middling run, where the reports that every export makes weigh more than in a large one; the worst type."""
    say("reporting progress ...")
    run_id = bench.run(bench.options.middle)
    rounds = {
        type_name: [_export(bench, type_name, run_id) for _ in range(bench.options.rounds)] for type_name in TYPES
    }
    costs = {type_name: statistics.median(map(_cost, measured)) for type_name, measured in rounds.items()}
    each = (f"{type_name} {1 + costs[type_name]:.4f} ({_made_of(done)})" for type_name, done in rounds.items())
    return [
        Figure(
            name=NAME,
            title="an export's CPU seconds with progress reports over those without",
            value=1 + max(costs.values()),
            must=1.02,
            aim=1.01,
            detail=f"{', '.join(each)}; milliseconds of the reporting thread, of the server for it, of counting",
        )
    ]


def _export(bench: Workbench, type_name: str, run_id: str) -> Measured:
    measured = bench.work("reporting", type_name, run_id)
    bench.remove(measured)
    return measured


def _made_of(rounds: Sequence[Measured]) -> str:
    facts = rounds[0].facts
    milliseconds = (statistics.median(one.facts[part] for one in rounds) * 1000 for part in _PARTS)
    each = " + ".join(f"{one:.0f}" for one in milliseconds)
    return f"{facts['reports']} reports and {facts['advances']} counts in {rounds[0].seconds:.1f} s; {each} ms"


def _cost(measured: Measured) -> float:
    """Reporting over everything else."""
    reporting: float = sum(measured.facts[part] for part in _PARTS)
    return reporting / (measured.cpu_seconds + measured.server_seconds - reporting)


GROUPS = (Group(names=(NAME,), measure=measure),)
