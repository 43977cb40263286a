"""A whole Dagster deployment with two code locations, as ``export-pipelines dev`` makes one, and launches in it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import httpx

from benchmarks.measured import Measured, MeasureError
from benchmarks.workbench import Workbench
from export_pipelines.cli.processes import HOST, Family, Program
from export_pipelines.launching.requests import JOB_TAG
from export_pipelines.orchestration.instance import prepare_instance

START_SECONDS = 120
RUN_SECONDS = 60
POLL_SECONDS = 0.2
"""How often the run is asked after; when it ended is what Dagster says, so this adds nothing to the figure."""

_LAUNCH = """mutation ($run: ExecutionParams!) { launchRun(executionParams: $run) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
_RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status startTime endTime } } }"
_FIRST_OP = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) {
  ... on Runs { results { runId stepStats { startTime } } } } }"""
_LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A webserver that launches runs, with a daemon and code servers behind it."""

    url: str

    def launch(self, location: str, job: str, config: dict[str, Any]) -> Measured:
        """Launch a job as the UI does, and wait for its success.

        Returns:
            The seconds from the mutation to the run's end; among the facts ``run_seconds``, from its start to its end.

        Raises:
            MeasureError: it did not succeed.
        """
        selector = {"repositoryLocationName": location, "repositoryName": "__repository__", "jobName": job}
        began = time.time()
        answer = self._ask(_LAUNCH, run={"selector": selector, "runConfigData": config})
        if answer["__typename"] != "LaunchRunSuccess":
            raise MeasureError(f"{job} was not launched: {answer}")
        run = self._finished(answer["run"]["runId"])
        if run["status"] != "SUCCESS":
            raise MeasureError(f"the run of {job} ended as {run['status']}")
        return Measured(
            seconds=run["endTime"] - began,
            cpu_seconds=0.0,
            facts={"run_seconds": run["endTime"] - run["startTime"]},
        )

    def first_op_of(self, job_id: str) -> float:
        """Wait until the one run of an export job has succeeded.

        Returns:
            When its first op started, as a timestamp.

        Raises:
            MeasureError: there is no such run, more than one, or it did not succeed.
        """
        give_up = time.monotonic() + RUN_SECONDS
        wanted = {"tags": [{"key": JOB_TAG, "value": job_id}]}
        while not (runs := self._ask(_FIRST_OP, filter=wanted)["results"]):
            if time.monotonic() > give_up:
                raise MeasureError(f"no run of export job {job_id} appeared within {RUN_SECONDS} s")
            time.sleep(POLL_SECONDS)
        if self._finished(runs[0]["runId"])["status"] != "SUCCESS":
            raise MeasureError(f"the run of export job {job_id} did not succeed")
        [run] = self._ask(_FIRST_OP, filter=wanted)["results"]
        return min(float(step["startTime"]) for step in run["stepStats"] if step["startTime"] is not None)

    def wait_until_loaded(self) -> None:
        """Wait until every code location is there.

        Raises:
            MeasureError: one does not load.
        """
        give_up = time.monotonic() + START_SECONDS
        while True:
            entries = self._ask(_LOCATIONS)["locationEntries"]
            loads = {(entry["locationOrLoadError"] or {}).get("__typename") for entry in entries}
            if loads == {"RepositoryLocation"}:
                return
            if "PythonError" in loads or time.monotonic() > give_up:
                raise MeasureError("a code location does not load; see the logs in the benchmarks' home")
            time.sleep(POLL_SECONDS)

    def _finished(self, run_id: str) -> dict[str, Any]:
        give_up = time.monotonic() + RUN_SECONDS
        while True:
            run: dict[str, Any] = self._ask(_RUN, id=run_id)
            if run["endTime"] is not None:
                return run
            if time.monotonic() > give_up:
                raise MeasureError(f"run {run_id} is still {run['status']} after {RUN_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:  # noqa: ANN401 - GraphQL takes what it takes
        body = {"query": query, "variables": variables}
        try:
            answer = httpx.post(f"{self.url}/graphql", json=body, timeout=60).raise_for_status().json()
        except httpx.HTTPError as error:
            raise MeasureError(f"the webserver does not answer: {error}") from error
        if "errors" in answer:
            raise MeasureError(f"Dagster refuses a question: {answer['errors']}")
        value: dict[str, Any] = next(iter(answer["data"].values()))
        return value


@contextmanager
def deployed(bench: Workbench) -> Iterator[Deployment]:
    """Start everything on ports of its own; all of it ends with the block."""
    ui, code, empty = _free_ports(3)
    environ = dict(bench.environ)
    prepare_instance(bench.settings, environ)
    environ |= {"EXPORT_PIPELINES_CODE_SERVER_PORT": str(code), "BENCH_EMPTY_PORT": str(empty)}
    with Family(environ=environ, logs=bench.options.home / "logs") as family:
        family.start(_programs(ui=ui, code=code, empty=empty), seconds=START_SECONDS)
        deployment = Deployment(url=f"http://{HOST}:{ui}")
        deployment.wait_until_loaded()
        yield deployment


@contextmanager
def developing(bench: Workbench) -> Iterator[Deployment]:
    """Have ``export-pipelines dev`` start everything, on ports of its own; all of it ends with the block."""
    ui, code, serve = _free_ports(3)
    options = (f"--ui-port={ui}", f"--code-port={code}", f"--port={serve}")
    program = Path(sys.executable).with_name("export-pipelines")
    dev = Program(name="dev", command=(str(program), "dev", *options), port=ui)
    with Family(environ=bench.environ, logs=bench.options.home / "logs") as family:
        family.start((dev,), seconds=START_SECONDS)
        deployment = Deployment(url=f"http://{HOST}:{ui}")
        deployment.wait_until_loaded()
        yield deployment


def _programs(*, ui: int, code: int, empty: int) -> tuple[Program, ...]:
    scripts, workspace = Path(sys.executable).parent, Path(__file__).with_name("launch_workspace.yaml")

    def command(name: str, *arguments: str) -> tuple[str, ...]:
        return (str(scripts / name), *arguments)

    def code_server(module: str, port: int) -> tuple[str, ...]:
        return command("dagster", "code-server", "start", f"--host={HOST}", f"--port={port}", f"--module-name={module}")

    web = command("dagster-webserver", f"--host={HOST}", f"--port={ui}", f"--workspace={workspace}")
    daemon = command("dagster-daemon", "run", f"--workspace={workspace}")
    return (
        Program(name="code-server", command=code_server("export_pipelines.definitions", code), port=code),
        Program(name="empty-code-server", command=code_server("benchmarks.empty_location", empty), port=empty),
        Program(name="webserver", command=web, port=ui, after="code-server"),
        Program(name="daemon", command=daemon, after="empty-code-server"),
    )


def _free_ports(number: int) -> list[int]:
    """Ports that nobody listened on a moment ago."""
    sockets = [socket() for _ in range(number)]
    for each in sockets:
        each.bind((HOST, 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
