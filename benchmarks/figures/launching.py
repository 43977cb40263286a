"""One small export as a launched Dagster run, over an empty job of five ops launched in the same way."""

from collections.abc import Sequence
from functools import partial

from benchmarks.data import DEFINITION_ID, USER_EMAIL
from benchmarks.deployment import Deployment, deployed
from benchmarks.figure import Figure, Group
from benchmarks.measured import Measured, interleaved, median, spread
from benchmarks.workbench import Workbench, say

NAME = "small_export"
_EMPTY = "empty"


def measure(bench: Workbench, _: Sequence[str]) -> list[Figure]:
    """Medians of each job's launches, which are spread over the second between two looks at the queue."""
    say("launching Dagster runs ...")
    bench.run(bench.options.sizes[0])
    with deployed(bench) as deployment:
        contestants = {
            NAME: spread(partial(_export, deployment), bench.options.launches, over=1.0),
            _EMPTY: spread(partial(_empty, deployment), bench.options.launches, over=1.0),
        }
        # The first run of a deployment imports and connects for the others.
        _export(deployment)
        _empty(deployment)
        results = interleaved(contestants, rounds=bench.options.launches)
    ours, theirs = median(results, NAME), median(results, _EMPTY)
    own, empty = (median(results, who, of=lambda run: run.facts["run_seconds"]) for who in (NAME, _EMPTY))
    return [
        Figure(
            name=NAME,
            title="DEFINITION_MD over an empty job of five ops, both launched in Dagster, wall time",
            value=ours / theirs,
            must=1.3,
            aim=1.1,
            detail=f"{ours:.2f} s against {theirs:.2f} s from the mutation to the run's end; of that from the run's "
            f"start to its end {own:.2f} s against {empty:.2f} s; medians of {bench.options.launches} launches each",
        )
    ]


def _export(deployment: Deployment) -> Measured:
    form = {"user": USER_EMAIL, "definition_id": DEFINITION_ID}
    config = {"ops": {"load_definition": {"config": form}}}
    return deployment.launch("export_pipelines", "export_definition_md", config)


def _empty(deployment: Deployment) -> Measured:
    return deployment.launch("empty", "empty", {})


GROUPS = (Group(names=(NAME,), measure=measure),)
