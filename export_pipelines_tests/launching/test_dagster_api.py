"""What the client makes of servers that are away, silent, refusing, or something else altogether."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from export_pipelines.core.errors import DagsterUnavailableError
from export_pipelines.launching.dagster_api import DagsterApi, UnansweredError
from export_pipelines.launching.requests import LaunchRequest
from export_pipelines_tests.dagster_ui import free_ports

REQUEST = LaunchRequest(
    job_id="cjob", dagster_job="export_x", run_key="cjob-1", run_config={"ops": {}}, tags={"export/job_id": "cjob"}
)


@contextmanager
def server(answer: Callable[[dict[str, Any]], Any], *, status: int = 200) -> Iterator[DagsterApi]:
    """A server that answers so; None is silence, and the connection closed."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if said is None:
                return
            body = said if isinstance(said, bytes) else json.dumps({"data": {"value": said}}).encode()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The test's output is not for this."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield DagsterApi(url=f"http://127.0.0.1:{listening.server_address[1]}")
        listening.shutdown()
        thread.join()


def test_a_launched_run_is_named_and_was_asked_for_with_its_tags() -> None:
    asked: list[dict[str, Any]] = []

    def answer(question: dict[str, Any]) -> Any:
        asked.append(question)
        return {"__typename": "LaunchRunSuccess", "run": {"runId": "run-1"}}

    with server(answer) as api:
        assert api.launch(REQUEST) == "run-1"
    run = asked[0]["variables"]["run"]
    assert run["selector"]["jobName"] == "export_x"
    assert run["executionMetadata"]["tags"] == [{"key": "export/job_id", "value": "cjob"}]


def test_a_server_that_is_away_has_launched_nothing() -> None:
    with free_ports(1) as (port,):
        api = DagsterApi(url=f"http://127.0.0.1:{port}")
    assert not api.is_there()
    with pytest.raises(DagsterUnavailableError, match="cannot be reached") as away:
        api.launch(REQUEST)
    assert not isinstance(away.value, UnansweredError)


def test_a_server_that_goes_away_in_the_middle_may_have_launched_it() -> None:
    with server(lambda _: None) as api, pytest.raises(UnansweredError, match="did not answer"):
        api.launch(REQUEST)


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        (
            {"__typename": "PipelineNotFoundError", "message": "Could not find export_x."},
            200,
            "Could not find export_x",
        ),
        ({"__typename": "RunConfigValidationInvalid", "errors": [{"message": "bad"}]}, 200, "run: bad"),
        ({"__typename": "UnauthorizedError", "message": ""}, 200, "UnauthorizedError"),
        (b"{}", 200, "is it another server"),
        (b"[1]", 200, "is it another server"),
        (b"not allowed", 403, "status 403"),
    ],
)
def test_a_refusal_is_told_with_its_reason_and_has_launched_nothing(said: Any, status: int, reason: str) -> None:
    with server(lambda _: said, status=status) as api:
        assert not api.is_there()
        with pytest.raises(DagsterUnavailableError, match=reason) as refused:
            api.launch(REQUEST)
    assert not isinstance(refused.value, UnansweredError)


def test_every_unfinished_run_of_a_job_is_terminated() -> None:
    def answer(question: dict[str, Any]) -> Any:
        if "terminateRun" in question["query"]:
            terminated.append(question["variables"]["id"])
            return {"__typename": "TerminateRunSuccess"}
        assert {"key": "export/job_id", "value": "cjob"} in question["variables"]["filter"]["tags"]
        return {"__typename": "Runs", "results": [{"runId": "run-1"}, {"runId": "run-2"}]}

    terminated: list[str] = []
    with server(answer) as api:
        assert api.terminate_runs_of("cjob") == ("run-1", "run-2")
    assert terminated == ["run-1", "run-2"]
