"""What the log says of each request: the whole pattern of its route, never the path itself."""

import logging
import re
import time
from collections.abc import Sequence

import pytest

from export_pipelines.web.log_lines import TextLines
from export_pipelines_tests.web.api_site import ApiSite

FILLED = "c0filledin"


def logged(caplog: pytest.LogCaptureFixture, *, count: int) -> Sequence[tuple[str, str]]:
    """Method and route of each request, in the order in which they ended."""
    # A line is written when the answer is out; whoever has it may be quicker.
    give_up = time.monotonic() + 10
    while len(lines(caplog)) < count and time.monotonic() < give_up:
        time.sleep(0.01)
    found = lines(caplog)
    assert FILLED not in "\n".join(TextLines().format(line) for line in found)
    return [(line.fields["method"], line.fields["route"]) for line in found]


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "export_pipelines.web.access"]


def test_a_call_is_logged_as_the_description_of_the_api_names_it(
    api: ApiSite, caplog: pytest.LogCaptureFixture
) -> None:
    paths = api.owner.get("/api/openapi.json").json()["paths"]
    calls = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    caplog.clear()
    with caplog.at_level(logging.INFO):
        for method, path in calls:
            api.clients["nobody"].request(method, re.sub(r"{\w+}", FILLED, path))
        found = logged(caplog, count=len(calls))
    assert len(calls) > 40
    assert found == calls


def test_what_has_no_answer_or_another_method_is_logged_without_its_path(
    api: ApiSite, caplog: pytest.LogCaptureFixture
) -> None:
    asked = {
        f"/api/exports/{FILLED}": "/api/exports/{export_id}",
        f"/api/{FILLED}": "-",
        f"/{FILLED}/{FILLED}": "-",
        f"/downloads/{FILLED}": "/downloads/{token}",
        f"/exports/{FILLED}": "/exports/{job_id}",
        "/healthz": "/healthz",
        "/": "/",
        "/login": "/login",
    }
    caplog.clear()
    with caplog.at_level(logging.INFO):
        for path in asked:
            api.clients["nobody"].get(path)
        api.owner.put(f"/api/exports/{FILLED}")
        found = logged(caplog, count=len(asked) + 1)
    assert found == [*(("GET", route) for route in asked.values()), ("PUT", "/api/exports/{export_id}")]
