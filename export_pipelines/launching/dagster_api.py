"""The Dagster webserver's GraphQL API, as far as it is needed to launch and to terminate the runs of export jobs."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from export_pipelines.core.errors import DagsterUnavailableError
from export_pipelines.launching.requests import JOB_TAG, LaunchRequest

REPOSITORY = {"repositoryLocationName": "export_pipelines", "repositoryName": "__repository__"}
"""The location is named by ``workspace.yaml``, the repository by Dagster."""

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 20.0
"""A launch takes a tenth of a second; a machine that is busy with five exports may need many times that."""

_LAUNCH = """mutation ($run: ExecutionParams!) { launchRun(executionParams: $run) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
_UNFINISHED = """query ($filter: RunsFilter!) { runsOrError(filter: $filter) {
  __typename ... on Runs { results { runId } } ... on Error { message } } }"""
_TERMINATE = """mutation ($id: String!) { terminateRun(runId: $id) {
  __typename ... on Error { message } ... on TerminateRunFailure { message } } }"""
_AT_WORK = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED")


class UnansweredError(DagsterUnavailableError):
    """The question was sent and no answer came: whether a run was launched is not known."""


@dataclass(frozen=True, kw_only=True)
class DagsterApi:
    """A webserver.

    Attributes:
        url: where it is, without ``/graphql``.
    """

    url: str

    def is_there(self) -> bool:
        """Whether a Dagster webserver answers at the address."""
        try:
            with _opened(f"{self.url}/server_info", seconds=CONNECT_SECONDS) as answer:
                return b"dagster_webserver_version" in answer.read(10_000)
        except (OSError, http.client.HTTPException):
            return False

    def launch(self, request: LaunchRequest) -> str:
        """Launch the run.

        Returns:
            Its id.

        Raises:
            UnansweredError: it may have been launched, or not.
            DagsterUnavailableError: it was not launched.
        """
        run = {
            "selector": {**REPOSITORY, "jobName": request.dagster_job},
            "runConfigData": json.dumps(request.run_config),
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in request.tags.items()]},
        }
        answer = self._ask(_LAUNCH, run=run)
        if answer["__typename"] != "LaunchRunSuccess":
            raise DagsterUnavailableError(f"Dagster at {self.url} did not launch the run: {_reason(answer)}.")
        return str(answer["run"]["runId"])

    def terminate_runs_of(self, job_id: str) -> tuple[str, ...]:
        """Have every unfinished run of the export job terminated.

        Returns:
            Their ids.

        Raises:
            DagsterUnavailableError: the webserver is away, or one of them cannot be terminated.
        """
        wanted = {"tags": [{"key": JOB_TAG, "value": job_id}], "statuses": list(_AT_WORK)}
        answer = self._ask(_UNFINISHED, filter=wanted)
        if answer["__typename"] != "Runs":
            raise DagsterUnavailableError(f"Dagster at {self.url} does not list its runs: {_reason(answer)}.")
        ids = tuple(str(run["runId"]) for run in answer["results"])
        for run_id in ids:
            ended = self._ask(_TERMINATE, id=run_id)
            if ended["__typename"] != "TerminateRunSuccess":
                raise DagsterUnavailableError(f"Dagster at {self.url} does not end run {run_id}: {_reason(ended)}.")
        return ids

    def _ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The one value that the query asks for."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        try:
            with _opened(f"{self.url}/graphql", body, seconds=ANSWER_SECONDS) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise DagsterUnavailableError(f"Dagster at {self.url} answers with status {error.code}.") from error
        except urllib.error.URLError as error:
            # This kind is for connections that were never made; what breaks later comes as it is.
            raise DagsterUnavailableError(f"Dagster at {self.url} cannot be reached: {error.reason}.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnansweredError(f"Dagster at {self.url} did not answer: {error or type(error).__name__}.") from error
        if not isinstance(answer, dict) or not answer.get("data"):
            raise DagsterUnavailableError(f"{self.url} does not answer as Dagster does; is it another server?")
        [value] = answer["data"].values()
        return dict(value)


def _opened(url: str, body: bytes | None = None, *, seconds: float) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - the settings take http and https only
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=seconds)  # noqa: S310 - the same
    return response


def _reason(answer: Mapping[str, Any]) -> str:
    errors = [each["message"] for each in answer.get("errors", ())]
    text = answer.get("message") or "; ".join(errors) or answer["__typename"]
    return " ".join(text.split()).rstrip(".")[:500]
