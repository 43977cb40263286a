"""A code location with one job of five ops that do nothing: what launching any job of that shape costs."""

import dagster as dg

from export_pipelines.orchestration.executors import executor


@dg.op(out=dg.Out(dg.Nothing))
def load() -> None:
    """Nothing."""


@dg.op(ins={"before": dg.In(dg.Nothing)}, out=dg.Out(dg.Nothing))
def work() -> None:
    """Nothing."""


@dg.job
def empty() -> None:
    """Five ops, one after the other."""
    rendered = work.alias("render")(load())
    uploaded = work.alias("upload")(work.alias("package")(rendered))
    work.alias("record")(uploaded)


# The executor is the exports' own, so that both are run in the same way.
defs = dg.Definitions(jobs=[empty], executor=executor("multi_or_in_process"))
