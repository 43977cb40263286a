"""How long an export waits before its first op starts, in the deployment that ``export-pipelines dev`` makes.

Counted from the row's ``created_at`` to the start that Dagster records of the run's first op.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.data import USER_EMAIL, USER_ID
from benchmarks.deployment import Deployment, developing
from benchmarks.figure import Figure, Group
from benchmarks.measured import Measured, MeasureError, spread
from benchmarks.workbench import Workbench, say

COMMAND, SQL = "queue_command", "queue_sql"
QUEUE_SECONDS = 1.0
"""Dagster's queued runs are looked at so often."""
SENSOR_SECONDS = 5.0
"""The daemon's sensors are."""


@dataclass(frozen=True, kw_only=True)
class _Way:
    """One way to make a job.

    Attributes:
        make: makes one and returns its id.
        over: the seconds between two looks at what was made, over which the jobs are spread.
        must, aim: seconds.
    """

    title: str
    make: Callable[[Workbench, Deployment, str], str]
    over: float
    must: float
    aim: float


def measure(bench: Workbench, names: Sequence[str]) -> list[Figure]:
    """Medians of jobs that are made one after the other, each when the one before has ended."""
    run_id = bench.run(bench.options.sizes[0])
    say("starting a deployment to queue exports in ...")
    with developing(bench) as deployment:
        return [_figure(name, _WAYS[name], bench, deployment, run_id) for name in names]


def _figure(name: str, way: _Way, bench: Workbench, deployment: Deployment, run_id: str) -> Figure:
    number, load = bench.options.launches, os.getloadavg()[0]
    work = partial(_first_op, bench, deployment, partial(way.make, bench, deployment, run_id))
    # The first run of a deployment imports and connects for the others.
    work()
    at_its_moment = spread(work, number, over=way.over)
    waits = [at_its_moment().seconds for _ in range(number)]
    middle = statistics.median(waits)
    return Figure(
        name=name,
        title=way.title,
        value=middle,
        must=way.must,
        aim=way.aim,
        unit=" s",
        detail=f"median of {number} BULK_CSV of {bench.options.sizes[0]} rows; from {min(waits):.2f} to "
        f"{max(waits):.2f} s, nine of ten within {sorted(waits)[-(-9 * number // 10) - 1]:.2f} s; load average "
        f"{load:.1f} before, {os.getloadavg()[0]:.1f} after",
    )


def _first_op(bench: Workbench, deployment: Deployment, make: Callable[[], str]) -> Measured:
    job_id = make()
    with bench.database.raw_connection() as connection:
        statement = "SELECT created_at FROM {exports}.export_jobs WHERE id = %s"
        found = connection.execute(bench.database.sql(statement), (job_id,)).fetchone()
    if found is None:
        raise MeasureError(f"there is no row {job_id}")
    return Measured(seconds=deployment.first_op_of(job_id) - found[0].timestamp(), cpu_seconds=0.0)


def _by_command(bench: Workbench, deployment: Deployment, run_id: str) -> str:
    program = str(Path(sys.executable).with_name("export-pipelines"))
    command = [program, "export", "BULK_CSV", "--run-id", run_id, "--user", USER_EMAIL, "--queue", "--json"]
    environ = {**bench.environ, "EXPORT_PIPELINES_DAGSTER_URL": deployment.url}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MeasureError(f"--queue failed: {done.stderr.strip().splitlines()[-1:]}")
    return str(json.loads(done.stdout)["id"])


def _by_sql(bench: Workbench, _: Deployment, run_id: str) -> str:
    statement = "INSERT INTO {exports}.export_jobs (user_id, type, input) VALUES (%s, 'BULK_CSV', %s) RETURNING id"
    with bench.database.raw_connection() as connection:
        values = (USER_ID, json.dumps({"run_id": run_id}))
        found = connection.execute(bench.database.sql(statement), values).fetchone()
        connection.commit()
    if found is None:
        raise MeasureError("the row was not inserted")
    return str(found[0])


_WAYS = {
    COMMAND: _Way(
        title="row made by `export --queue` to first op started", make=_by_command, over=QUEUE_SECONDS, must=3, aim=2
    ),
    SQL: _Way(title="row inserted by plain SQL to first op started", make=_by_sql, over=SENSOR_SECONDS, must=7, aim=4),
}

GROUPS = (Group(names=tuple(_WAYS), measure=measure),)
