"""What the API asks of Dagster: after its answers, once for each job, and however slow Dagster is."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.launching.requests import JOB_TAG
from export_pipelines.steps.queue import Launched
from export_pipelines.steps.services import Services
from export_pipelines.web.errands import Errands
from export_pipelines_tests.web.api_site import RUN, ApiSite, api_site

BODY = {"type": "BULK_CSV", "runId": RUN}


@dataclass(kw_only=True)
class Dagster:
    """A webserver that launches nothing but says it did; it answers when it may."""

    url: str = ""
    may_answer: threading.Event = field(default_factory=threading.Event)
    launched: list[str] = field(default_factory=list)
    terminated: list[str] = field(default_factory=list)

    def answer(self, asked: dict[str, Any]) -> dict[str, object]:
        self.may_answer.wait(20)
        variables = asked["variables"]
        if "run" in variables:
            tags = {tag["key"]: tag["value"] for tag in variables["run"]["executionMetadata"]["tags"]}
            self.launched.append(tags[JOB_TAG])
            return {"__typename": "LaunchRunSuccess", "run": {"runId": f"run of {tags[JOB_TAG]}"}}
        if "filter" in variables:
            return {"__typename": "Runs", "results": [{"runId": variables["filter"]["tags"][0]["value"]}]}
        self.terminated.append(variables["id"])
        return {"__typename": "TerminateRunSuccess"}


@contextmanager
def dagster() -> Iterator[Dagster]:
    running = Dagster()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(b'{"dagster_webserver_version": "1"}')

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._say(json.dumps({"data": {"value": running.answer(asked)}}).encode())

        def _say(self, body: bytes) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The test's output is not for this."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        running.url = f"http://127.0.0.1:{listening.server_address[1]}"
        yield running
        listening.shutdown()


def until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(api: ApiSite, times: int) -> set[str]:
    with ThreadPoolExecutor(times) as pool:
        answers = list(pool.map(lambda _: api.owner.post("/api/exports", json=BODY), range(times)))
    return {answer.json()["id"] for answer in answers}


def test_what_was_asked_for_is_launched_once_after_the_answer(services: Services) -> None:
    with dagster() as server, api_site(services, dagster_url=server.url) as api:
        # Answers come although Dagster's do not.
        made = ask(api, 4)
        assert len(made) == 4
        server.may_answer.set()
        until(lambda: set(server.launched) == made)
        assert len(server.launched) == 4
        rows = jobs.list_jobs(api.services.database)
        assert {row.claimed_by for row in rows} == {"API"}


def test_after_one_that_broke_off_the_next_launch_is_carried_out(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def broken(_: Services, *, by: str) -> Launched:
        asked.append(by)
        raise LookupError("nobody has thought of it")

    monkeypatch.setattr("export_pipelines.web.errands.launch_waiting", broken)
    errands = Errands()
    for _ in range(2):
        with pytest.raises(LookupError):
            errands.launch(services)
    assert asked == ["API", "API"]


def test_a_cancelled_exports_run_is_ended_and_a_deleted_one_has_none(services: Services) -> None:
    with dagster() as server, api_site(services, dagster_url=server.url) as api:
        server.may_answer.set()
        job, over = api.job(JobStatus.PROCESSING), api.job(JobStatus.FAILED)
        for each in (over, job):
            assert api.owner.delete(f"/api/exports/{each.id}").status_code == 200
        until(lambda: server.terminated)
        assert server.terminated == [job.id]
