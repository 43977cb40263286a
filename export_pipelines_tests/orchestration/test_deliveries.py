"""The sensor sends what is due, and its ticks say what became of it."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.settings import PREFIX
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.orchestration.build import build_definitions
from export_pipelines_tests.db.rows import add_job
from export_pipelines_tests.mail_server import mail_server

DEFINITIONS = build_definitions()


def tick(instance: dg.DagsterInstance) -> str:
    """What a tick of the sensor says."""
    sensor = DEFINITIONS.get_repository_def().get_sensor_def("send_deliveries")
    with dg.build_sensor_context(instance=instance, resources=DEFINITIONS.resources) as context:
        result = sensor(context)
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


def end(database: Database, *recipients: str) -> None:
    """A job that has failed, with somebody to tell."""
    now = datetime.now(UTC)
    job = add_job(database, delivery=DeliveryRequest(recipients=recipients), now=now)
    jobs.fail(database, job_id=job.id, attempt=None, error="the disk is full", now=now)


def test_a_tick_sends_what_is_due_and_says_what_was_not_taken_and_why(
    deployment: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert tick(instance) == "Nothing to send."
    with mail_server() as server:
        monkeypatch.setenv(f"{PREFIX}SMTP_URL", server.url)
        monkeypatch.setenv(f"{PREFIX}MAIL_FROM", "exports@example.org")
        server.refused = {"nobody@example.net": "550 no such user", "grey@example.net": "451 later"}
        end(deployment, "ada@example.net", "nobody@example.net", "grey@example.net")
        said = tick(instance)
        assert said.startswith("Sent 1 of 3 due.")
        assert "To nobody@example.net given up: " in said
        assert "550 no such user." in said
        assert "To grey@example.net again at " in said
        assert len(server.taken) == 1
        assert tick(instance) == "Nothing is due; waiting for their next try: 1."


def test_a_setting_that_cannot_be_used_fails_the_tick_by_its_name(
    deployment: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", "smtp://mail.example.org")
    with pytest.raises(Exception, match="EXPORT_PIPELINES_MAIL_FROM"):
        tick(instance)
