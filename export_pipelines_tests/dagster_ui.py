"""What a person does in the Dagster UI, through the API that the UI itself uses."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import randbelow
from socket import socket
from typing import Any, TypeVar

import httpx
import yaml

Found = TypeVar("Found")
LOCATION = {"repositoryLocationName": "export_pipelines", "repositoryName": "__repository__"}
FINISHED = {"SUCCESS", "FAILURE", "CANCELED"}

_FORM = """query ($job: PipelineSelector!) { runConfigSchemaOrError(selector: $job, mode: "default") {
  ... on RunConfigSchema { rootDefaultYaml } ... on Error { message } } }"""
_LAUNCHED = """__typename ... on LaunchRunSuccess { run { runId } }
  ... on RunConfigValidationInvalid { errors { message } } ... on PythonError { message }"""
_LAUNCH = f"mutation ($run: ExecutionParams!) {{ launchRun(executionParams: $run) {{ {_LAUNCHED} }} }}"
_AGAIN = f"mutation ($run: ReexecutionParams!) {{ launchRunReexecution(reexecutionParams: $run) {{ {_LAUNCHED} }} }}"
_TERMINATE = "mutation ($id: String!) { terminateRun(runId: $id) { __typename ... on Error { message } } }"
_RUN = """query ($id: ID!) { runOrError(runId: $id) { ... on Run { status tags { key value }
  stepStats { stepKey status } } ... on Error { message } } }"""
_EVENTS = """query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { __typename
  ... on MessageEvent { message stepKey }
  ... on DisplayableEvent { metadataEntries { label ... on TextMetadataEntry { text }
    ... on IntMetadataEntry { intValue } } } } } } }"""
_BACKFILL = """mutation ($backfill: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $backfill) {
  ... on LaunchBackfillSuccess { backfillId } ... on Error { message } } }"""
_PARTITIONS = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }"""
_TICKS = """query ($schedule: ScheduleSelector!) { scheduleOrError(scheduleSelector: $schedule) {
  ... on Schedule { scheduleState { status ticks(limit: 5) { status skipReason error { message } } } } } }"""
_ASSET = """query ($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
  assetMaterializations(limit: 1) { runId metadataEntries { label
    ... on IntMetadataEntry { intValue } ... on FloatMetadataEntry { floatValue } ... on UrlMetadataEntry { url }
  } } } } }"""
_LOADED = """{ workspaceOrError { ... on Workspace { locationEntries {
  locationOrLoadError { __typename ... on PythonError { message } } } } } }"""


@dataclass(frozen=True, kw_only=True)
class DagsterUI:
    """A running webserver."""

    url: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer["errors"]
        [value] = answer["data"].values()
        return value

    def form(self, job: str) -> dict[str, Any]:
        """What the launchpad is filled with when a person opens it."""
        return yaml.safe_load(self.ask(_FORM, job={**LOCATION, "pipelineName": job})["rootDefaultYaml"])

    def launch(self, job: str, **fields: Any) -> str:
        """Fill the form's fields in and launch; the run's id."""
        config = self.form(job)
        [load] = config["ops"].values()
        load["config"] |= fields
        run = {"selector": {**LOCATION, "jobName": job}, "runConfigData": yaml.safe_dump(config)}
        return _id(self.ask(_LAUNCH, run=run))

    def execute_again_from_failure(self, run_id: str) -> str:
        """Press "Re-execute from failure"; the new run's id."""
        return _id(self.ask(_AGAIN, run={"parentRunId": run_id, "strategy": "FROM_FAILURE"}))

    def terminate(self, run_id: str) -> None:
        """Press "Terminate"."""
        assert self.ask(_TERMINATE, id=run_id)["__typename"] == "TerminateRunSuccess"

    def run(self, run_id: str) -> dict[str, Any]:
        return self.ask(_RUN, id=run_id)

    def finished(self, run_id: str, *, seconds: float = 90) -> dict[str, Any]:
        """The run once it has ended."""
        return soon(lambda: (run := self.run(run_id))["status"] in FINISHED and run, seconds=seconds)

    def events(self, run_id: str) -> list[dict[str, Any]]:
        return self.ask(_EVENTS, id=run_id)["events"]

    def worker(self, run_id: str) -> int:
        """The process that the run's steps are executed in."""
        found = self.worker_if_any(run_id)
        assert found is not None, f"run {run_id} has no worker yet"
        return found

    def worker_if_any(self, run_id: str) -> int | None:
        """The same; None while it has not told of itself."""
        for event in self.events(run_id):
            for entry in event.get("metadataEntries") or ():
                if entry["label"] == "pid":
                    return int(entry.get("intValue") or entry["text"])
        return None

    def figures(self, asset: str) -> dict[str, Any]:
        """What the catalog shows of the last export of a type: metadata by label, and the run."""
        [last] = self.ask(_ASSET, key={"path": ["exports", asset]})["assetMaterializations"]
        values = {entry.pop("label"): next(iter(entry.values()), None) for entry in last["metadataEntries"]}
        return {**values, "run": last["runId"]}

    def backfill(self, job: str, *partitions: str) -> str:
        """Choose partitions on a job's page and launch its backfill; the backfill's id."""
        chosen = {"repositorySelector": LOCATION, "partitionSetName": f"{job}_partition_set"}
        answer = self.ask(_BACKFILL, backfill={"selector": chosen, "partitionNames": list(partitions)})
        assert "backfillId" in answer, answer
        return answer["backfillId"]

    def partitions(self, asset: str) -> list[dict[str, Any]]:
        """The partitions of an asset that are filled, or failed to be, as ranges."""
        return self.ask(_PARTITIONS, key={"path": ["exports", asset]})["assetPartitionStatuses"]["ranges"]

    def ticks(self, schedule: str) -> list[dict[str, Any]]:
        """The last ticks of a schedule, the newest first."""
        return self.ask(_TICKS, schedule={**LOCATION, "scheduleName": schedule})["scheduleState"]["ticks"]

    def load_errors(self) -> list[str]:
        """What keeps code locations from loading."""
        entries = self.ask(_LOADED)["locationEntries"]
        return [entry["locationOrLoadError"].get("message", "") for entry in entries]


def soon(look: Callable[[], Found], *, seconds: float) -> Found:
    """What ``look`` finds, once it finds something."""
    give_up = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.1)
    return found


@contextmanager
def free_ports(number: int) -> Iterator[list[int]]:
    """Ports that nobody listened on a moment ago, all different, and that nobody is given who asks for just any."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first_given = int(given.read_text().split()[0]) if given.exists() else 32_768
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < number:
            each = held.enter_context(socket())
            with suppress(OSError):
                # Whoever waits for a server to start must not find another's connection in its place.
                each.bind(("127.0.0.1", 10_000 + randbelow(first_given - 10_000) if first_given > 12_000 else 0))
                found.append(each.getsockname()[1])
    yield found


def _id(answer: dict[str, Any]) -> str:
    assert "run" in answer, answer
    return answer["run"]["runId"]
