"""What a line of the service's log looks like."""

import json
import logging
import time

import pytest

from export_pipelines.web import log_lines
from export_pipelines_tests.web.site import Site


def line(formatter: logging.Formatter, message: str, *values: object, **more: object) -> str:
    record = logging.LogRecord("a.logger", logging.WARNING, __file__, 1, message, values, None)
    record.__dict__.update(more)
    return formatter.format(record)


def test_a_line_outside_of_requests_is_about_no_export() -> None:
    assert line(log_lines.TextLines(), "took %d s", 5).endswith(" WARNING a.logger took 5 s job=- run=- type=-")


def test_every_line_of_a_request_says_which_export_run_and_type_it_is_about(
    local_site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    export = local_site.publish()
    caplog.handler.setFormatter(log_lines.TextLines())
    with caplog.at_level(logging.INFO):
        local_site.http.get(export.path)
        local_site.http.get("/healthz")
        # A line is written when the answer is out; whoever has it may be quicker.
        give_up = time.monotonic() + 10
        while caplog.text.count(" request method=GET ") < 2 and time.monotonic() < give_up:
            time.sleep(0.01)
    about = [said.partition(" job=")[2] for said in caplog.text.splitlines() if " request method=GET " in said]
    assert about == [f"{export.job.id} run=- type=BULK_CSV", "- run=- type=-"]


def test_what_a_route_logs_in_its_thread_is_about_the_same_export() -> None:
    token = log_lines.begin()
    log_lines.is_about("cjob")
    found = json.loads(line(log_lines.JsonLines(), "line\nbreak", fields={"status": 410}))
    log_lines.end(token)
    assert (found["message"], found["status"], found["job"], found["run"]) == ("line\nbreak", 410, "cjob", "-")
    assert json.loads(line(log_lines.JsonLines(), "after"))["job"] == "-"


def test_an_error_is_part_of_its_line_as_json() -> None:
    error = ValueError("why")
    record = logging.LogRecord("l", logging.ERROR, __file__, 1, "failed", (), (ValueError, error, None))
    text = log_lines.JsonLines().format(record)
    assert "\n" not in text
    assert json.loads(text)["error"] == "ValueError: why"
