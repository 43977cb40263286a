"""The deployment that ``export-pipelines dev`` starts, used as people use it: launched, watched, killed, terminated."""

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from export_pipelines.catalog.bulk_day_jsonl import BULK_DAY_JSONL
from export_pipelines.catalog.bulk_jsonl import BULK_JSONL
from export_pipelines.catalog.definition_md import DEFINITION_MD
from export_pipelines.catalog.export_type import ExportType
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs, schedules
from export_pipelines.db.database import Database
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DAY, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines_tests import postgres
from export_pipelines_tests.dagster_ui import DagsterUI, free_ports, soon

pytestmark = [pytest.mark.xdist_group("deployment"), pytest.mark.timeout(300)]

SCRIPT = Path(sys.executable).with_name("export-pipelines")
CHROMIUM = Path("/usr/bin/chromium")
SUBJECTS = {
    "run_id": SHOWCASE_RUN_ID,
    "definition_id": SHOWCASE_DEFINITION_ID,
    "day": SHOWCASE_DAY,
    "positions": "1-",
}
RUN = {"user": DEMO_USER_EMAIL, "run_id": SHOWCASE_RUN_ID}
# Days of the demonstration data that are not neighbours, with their transcripts that no deletion has hit.
BACKFILLED = {"2026-02-05": 89, "2026-03-10": 24}
# About sixteen of the demonstration run, so that a run lasts a few seconds and can be met in the middle.
SHARD_BYTES = 14_000


@dataclass(frozen=True, kw_only=True)
class Dev:
    """``export-pipelines dev`` and what it works on."""

    process: "subprocess.Popen[str]"
    ui: DagsterUI
    database: Database
    home: Path
    output: Path
    dagster_url: str
    environ: dict[str, str]
    done: dict[str, str] = field(default_factory=dict)

    def run_of(self, type_: ExportType) -> str:
        """A run of this type that nobody disturbed, launched from its form; the same one for every test."""
        if type_.name not in self.done:
            form = {"user": DEMO_USER_EMAIL, type_.subject_field: SUBJECTS[type_.subject_field]}
            self.done[type_.name] = self.ui.launch(type_.job_name, **form)
        return self.done[type_.name]

    def job_of(self, run_id: str) -> ExportJob:
        [job] = jobs.find_by_dagster_runs(self.database, [run_id])
        return job

    def is_at(self, run_id: str, status: JobStatus) -> bool:
        """Whether the run has made its job by now, and brought it to that status."""
        return [job.status for job in jobs.find_by_dagster_runs(self.database, [run_id])] == [status]

    def job_once(self, run_id: str, status: JobStatus, *, seconds: float) -> ExportJob:
        """The run's job as soon as it has that status."""
        soon(lambda: self.is_at(run_id, status), seconds=seconds)
        return self.job_of(run_id)

    def in_the_middle(self, run_id: str, *, rendered: int = 3) -> None:
        """Wait until some shards are rendered, and most are not; the ledger knows at once, and the UI when asked."""
        soon(lambda: _rendered(self.database, run_id) >= rendered, seconds=60)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The command line beside it, to its end."""
        return subprocess.run([SCRIPT, *arguments], env=self.environ, capture_output=True, text=True, check=False)

    def published(self, job: ExportJob) -> list[Path]:
        return [file for file in self.home.glob(f"store/exports/*/{job.id}/**/*") if file.is_file()]


@pytest.fixture(scope="module")
def dev(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: EmbeddedServer, seeded_template: str
) -> Iterator[Dev]:
    home = tmp_path_factory.mktemp("dev")
    output = home / "terminal"
    with (
        postgres.opened(postgres_server, template=seeded_template) as database,
        postgres.new_database(postgres_server) as dagster,
        free_ports(3) as (ui, serve, code),
    ):
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("EXPORT_", "DAGSTER_"))}
        environ |= {
            "EXPORT_PIPELINES_HOME": str(home),
            "EXPORT_PIPELINES_DATABASE_URL": database.url,
            "EXPORT_PIPELINES_DAGSTER_DATABASE_URL": postgres_server.dagster_url(dagster),
            "EXPORT_PIPELINES_SHARD_BYTES": str(SHARD_BYTES),
            # How the queue goes on by itself is tested with the queue; here a person does.
            "EXPORT_PIPELINES_MAX_RESUMES": "0",
        }
        ports = [f"--ui-port={ui}", f"--port={serve}", f"--code-port={code}"]
        with output.open("w") as terminal:
            process = subprocess.Popen(
                [SCRIPT, "dev", *ports], env=environ, stdout=terminal, stderr=terminal, text=True
            )
        try:
            soon(lambda: "Ctrl-C" in output.read_text() or process.poll() is not None, seconds=150)
            assert process.poll() is None, output.read_text()
            yield Dev(
                process=process,
                ui=DagsterUI(url=f"http://127.0.0.1:{ui}"),
                database=database,
                home=home,
                output=output,
                dagster_url=postgres_server.libpq_url(dagster),
                environ=environ,
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def test_the_terminal_shows_the_addresses_and_nothing_that_worries(dev: Dev) -> None:
    shown = dev.output.read_text()
    assert shown.splitlines()[0] == "starting ..."
    addresses = dict(line.rsplit(maxsplit=1) for line in shown.splitlines() if "/" in line)
    assert addresses["Dagster UI"] == dev.ui.url
    assert addresses["logs"] == str(dev.home / "logs")
    assert addresses["exports page"].startswith("http://127.0.0.1:")
    assert "arning" not in shown
    assert dev.ui.load_errors() == [""]
    for log in dev.home.glob("logs/*.log"):
        assert "Traceback" not in log.read_text(), log


def test_every_job_is_launched_from_its_form_and_gives_a_file_that_can_be_downloaded(dev: Dev) -> None:
    # The audit log has no rows before the first export has begun.
    soon(lambda: dev.is_at(dev.run_of(DEFINITION_MD), JobStatus.COMPLETED), seconds=90)
    runs = {type_: dev.run_of(type_) for type_ in EXPORT_TYPES}
    for type_, run_id in runs.items():
        assert dev.ui.finished(run_id)["status"] == "SUCCESS"
        job = dev.job_of(run_id)
        assert job.status is JobStatus.COMPLETED
        downloaded = httpx.get(job.output_url).content
        assert hashlib.sha256(downloaded).hexdigest() == job.checksum
        figures = dev.ui.figures(type_.name.lower())
        assert figures["run"] == run_id
        assert (figures["rows"], figures["bytes"]) == (job.record_count, job.output_size_bytes)
        assert 0 < figures["seconds"] < 90
        assert figures["link"] == job.output_url


def test_a_terminated_run_stops_reading_cancels_its_row_and_publishes_nothing(dev: Dev) -> None:
    with psycopg.connect(dev.database.libpq_url) as other:
        # Somebody alters the table, so the export has to wait in the middle of reading.
        other.execute("LOCK TABLE evaluation.transcripts IN ACCESS EXCLUSIVE MODE")
        run_id = dev.ui.launch("export_bulk_csv", **RUN)
        soon(lambda: dev.is_at(run_id, JobStatus.PROCESSING) and _reading(dev.database), seconds=90)
        dev.ui.terminate(run_id)
        job = dev.job_once(run_id, JobStatus.CANCELLED, seconds=60)
        soon(lambda: not _reading(dev.database), seconds=10)
    assert dev.ui.finished(run_id)["status"] == "CANCELED"
    assert dev.published(job) == []
    assert jobs.get(dev.database, job.id).status is JobStatus.CANCELLED


def test_a_backfill_is_launched_and_a_schedule_is_added(dev: Dev) -> None:
    """What the daemon makes of both is looked at below; it takes its time, in which the other tests go on."""
    dev.ui.backfill(BULK_DAY_JSONL.job_name, *BACKFILLED)
    arguments = ["nightly", "DEFINITION_MD", f"--definition-id={SHOWCASE_DEFINITION_ID}", "--cron=* * * * *"]
    added = dev.command("schedules", "add", *arguments)
    assert added.returncode == 0, added.stderr


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")
def test_a_person_fills_the_launchpad_in_and_sees_the_run_succeed(dev: Dev) -> None:
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=quiet)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{dev.ui.url}/locations/export_pipelines/jobs/export_definition_md/playground")
        for field, value in {"user": DEMO_USER_EMAIL, "definition_id": SHOWCASE_DEFINITION_ID}.items():
            line = page.locator(".CodeMirror-line", has_text=f"{field}: ''")
            line.click(timeout=60_000)
            # Between the two quotes of the empty text that is there.
            page.keyboard.press("End")
            page.keyboard.press("ArrowLeft")
            page.keyboard.type(value)
            page.keyboard.press("Escape")
        page.get_by_role("button", name=re.compile("Launch Run")).click()
        page.wait_for_url(re.compile("/runs/"), timeout=60_000)
        page.get_by_text("Success", exact=True).first.wait_for(timeout=90_000)
        run_id = page.url.rpartition("/")[2].partition("?")[0]
        browser.close()
    assert dev.job_of(run_id).status is JobStatus.COMPLETED


def test_a_killed_worker_fails_the_row_and_the_run_is_completed_when_executed_again(dev: Dev) -> None:
    killed = dev.ui.launch("export_bulk_jsonl", **RUN)
    worker = soon(lambda: dev.ui.worker_if_any(killed), seconds=60)
    dev.in_the_middle(killed)
    os.kill(worker, signal.SIGKILL)
    failed = dev.job_once(killed, JobStatus.FAILED, seconds=60)
    assert failed.error == (
        f"Dagster run {killed} failed. Its worker was killed, ran out of memory, or went away with its machine. To "
        "continue where it stopped: Re-execute from failure in the Dagster UI, or "
        f"`export-pipelines jobs retry {failed.id}`."
    )
    assert dev.published(failed) == []

    again = dev.ui.execute_again_from_failure(killed)
    assert dev.ui.finished(again)["status"] == "SUCCESS"
    completed = jobs.get(dev.database, failed.id)
    assert (completed.status, completed.attempt, completed.error) == (JobStatus.COMPLETED, 1, None)
    untouched = dev.run_of(BULK_JSONL)
    assert dev.ui.finished(untouched)["status"] == "SUCCESS"
    assert completed.checksum == dev.job_of(untouched).checksum


def test_the_backfill_has_filled_the_partitions_of_its_days(dev: Dev) -> None:
    soon(lambda: set(BACKFILLED) <= set(_days(dev.ui)), seconds=90)
    made = [job for job in jobs.list_jobs(dev.database, type=BULK_DAY_JSONL.name) if _day(job) in BACKFILLED]
    assert {_day(job): job.record_count for job in made} == BACKFILLED
    for job in made:
        tags = {tag["key"]: tag["value"] for tag in dev.ui.run(job.dagster_run_id)["tags"]}
        assert (tags["dagster/partition"], "dagster/backfill" in tags) == (_day(job), True)


def test_the_daemon_has_queued_a_job_for_every_minute_and_its_ticks_say_so(dev: Dev) -> None:
    [schedule] = schedules.list_schedules(dev.database)
    soon(lambda: schedules.get(dev.database, schedule.id).run_count, seconds=90)
    ticks = dev.ui.ticks("dispatch_schedules")
    assert not any(tick["error"] for tick in ticks), ticks
    assert any((tick["skipReason"] or "").startswith("Queued 1: nightly at ") for tick in ticks), ticks
    with dev.database.raw_connection() as connection:
        query = "SELECT count(*), count(DISTINCT job_id), max(at) - min(at) FROM exports.export_schedule_slots"
        count, distinct, between = connection.execute(query).fetchone()
    assert count == distinct == between.total_seconds() / 60 + 1
    assert dev.command("schedules", "remove", "nightly").returncode == 0


def test_one_ctrl_c_stops_everything_and_a_run_in_the_middle_says_that_it_was_interrupted(dev: Dev) -> None:
    """The last of this file: it ends the deployment that the others share."""
    run_id = dev.ui.launch("export_bulk_jsonl", **RUN)
    dev.in_the_middle(run_id, rendered=1)
    family = psutil.Process(dev.process.pid).children(recursive=True)
    assert len(family) > 5

    dev.process.send_signal(signal.SIGINT)

    assert dev.process.wait(timeout=40) == 0
    assert [process for process in family if _lives(process)] == []
    assert dev.output.read_text().endswith("stopped\n")
    with psycopg.connect(dev.dagster_url) as connection:
        assert connection.execute("SELECT status FROM runs WHERE run_id = %s", [run_id]).fetchone() == ("FAILURE",)


def _rendered(database: Database, run_id: str) -> int:
    """How many shards of the run's job are rendered."""
    with database.raw_connection() as connection:
        [(rendered,)] = connection.execute(
            "SELECT count(*) FROM exports.export_shards JOIN exports.export_jobs AS jobs ON jobs.id = job_id"
            " WHERE jobs.dagster_run_id = %s AND state = 'RENDERED'",
            [run_id],
        ).fetchall()
    return rendered


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _day(job: ExportJob) -> str:
    return str(job.input["subject_id"])


def _days(ui: DagsterUI) -> list[str]:
    """The days whose partitions are filled; only such as stand alone are asked for here."""
    return [found["startKey"] for found in ui.partitions("bulk_day_jsonl") if found["status"] == "MATERIALIZED"]


def _reading(database: Database) -> bool:
    """Whether anybody but us has a statement about transcripts going, or waiting for its turn."""
    with database.raw_connection() as connection:
        rows = connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
            " AND pid <> pg_backend_pid() AND query LIKE '%transcripts%'"
        ).fetchall()
    return bool(rows)
