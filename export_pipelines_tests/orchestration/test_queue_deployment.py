"""The queue against the real daemon, code server and webserver: nothing lost, nothing doubled, whoever is killed."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines_tests.dagster_parts import Parts, started
from export_pipelines_tests.dagster_ui import soon
from export_pipelines_tests.deployments import SCRIPT
from export_pipelines_tests.queue_sampling import Sampling

pytestmark = [pytest.mark.xdist_group("queue deployment"), pytest.mark.timeout(1800)]

JOBS = int(os.environ.get("EXPORT_PIPELINES_TEST_QUEUE_JOBS", "14"))
"""In the suite; `make queue` has 200, which on two cores takes minutes: each is a Dagster run with a process."""

USERS, TOTAL, PER_USER = 10, 5, 2
INSERT = """INSERT INTO exports.export_jobs (user_id, type, input)
VALUES (%s, %s, jsonb_build_object('subject_id', %s::text)) RETURNING id"""
# A quarter is the first user's alone, more than may run at the same time; then they take turns.
INSERT_AT_ONCE = """INSERT INTO exports.export_jobs (user_id, type, input)
SELECT 'c0queue' || greatest(0, number - %s) %% %s, 'DEFINITION_MD', jsonb_build_object('subject_id', %s::text)
FROM generate_series(0, %s) AS number RETURNING id"""
UNFINISHED = "SELECT count(*) FROM exports.export_jobs WHERE status IN ('PENDING', 'PROCESSING')"
USER = "INSERT INTO evaluation.users (id, email, password_hash) VALUES ('c0queue' || %s, %s, 'none')"


@pytest.fixture(scope="module")
def parts(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: EmbeddedServer, seeded_template: str
) -> Iterator[Parts]:
    settings = {
        "EXPORT_PIPELINES_MAX_RUNNING_PER_USER": str(PER_USER),
        "EXPORT_PIPELINES_RESUME_DELAY_SECONDS": "1",
        "EXPORT_PIPELINES_LAUNCH_GRACE_SECONDS": "20",
        # About sixteen shards of the demonstration run, so that a run can be met in the middle.
        "EXPORT_PIPELINES_SHARD_BYTES": "14000",
    }
    with started(postgres_server, seeded_template, tmp_path_factory.mktemp("queue"), **settings) as parts:
        for number in range(USERS):
            parts.rows(USER, str(number), f"queue{number}@example.org")
        yield parts


def insert(parts: Parts, type_name: str = "DEFINITION_MD", subject: str = SHOWCASE_DEFINITION_ID, user: int = 0) -> str:
    [(job_id,)] = parts.rows(INSERT, f"c0queue{user}", type_name, subject)
    return job_id


def once(parts: Parts, job_id: str, fits: Callable[[ExportJob], object], *, seconds: float = 240) -> ExportJob:
    soon(lambda: fits(jobs.get(parts.database, job_id)), seconds=seconds)
    return jobs.get(parts.database, job_id)


def has(status: JobStatus) -> Callable[[ExportJob], bool]:
    return lambda job: job.status is status


def actions(parts: Parts, job_id: str) -> Counter[str]:
    return Counter(entry.action for entry in audit.list_for_job(parts.database, job_id))


def runs_of(parts: Parts, job_id: str) -> dict[str, str]:
    """Dagster's runs of the job, with their states."""
    tagged = "SELECT run_id FROM run_tags WHERE key = 'export/job_id' AND value = '{}'"
    return dict(parts.runs(f"SELECT run_id, status FROM runs WHERE run_id IN ({tagged.format(job_id)})"))


def reading(parts: Parts) -> int:
    """How many have a statement about transcripts going, or waiting for its turn."""
    [(number,)] = parts.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
        " AND pid <> pg_backend_pid() AND query LIKE '%%transcripts%%'"
    )
    return number


def command(parts: Parts, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [SCRIPT, *arguments], env=dict(parts.environ), capture_output=True, text=True, timeout=120, check=False
    )


def test_what_the_command_line_queues_is_launched_at_once_and_carried_out(parts: Parts) -> None:
    asked = command(parts, "export", "DEFINITION_MD", "--definition-id", SHOWCASE_DEFINITION_ID, "--queue", "--json")
    assert asked.returncode == 0, asked.stderr
    row = json.loads(asked.stdout)
    done = once(parts, row["id"], has(JobStatus.COMPLETED))
    assert list(runs_of(parts, done.id)) == [done.dagster_run_id]
    if row["dagster_run_url"] is not None:
        assert row["dagster_run_url"] == f"{parts.ui.url}/runs/{done.dagster_run_id}"
    tags = {tag["key"]: tag["value"] for tag in parts.ui.run(done.dagster_run_id)["tags"]}
    assert tags["export/run_key"] == f"{done.id}-1"
    assert (tags["export/user_id"], tags["export/type"]) == (done.user_id, "DEFINITION_MD")


def test_cancelled_jobs_stop_reading_within_seconds_and_their_runs_end_canceled(parts: Parts) -> None:
    with psycopg.connect(parts.database.libpq_url) as other:
        # Somebody alters the table, so the exports have to wait in the middle of reading, and hear nothing.
        other.execute("LOCK TABLE evaluation.transcripts IN ACCESS EXCLUSIVE MODE")
        by_command, by_sql = ids = [waiting_in_vain(parts), waiting_in_vain(parts)]
        soon(lambda: all(jobs.get(parts.database, each).status is JobStatus.PROCESSING for each in ids), seconds=180)
        soon(lambda: reading(parts) == len(ids), seconds=60)
        said = command(parts, "jobs", "cancel", by_command)
        assert said.returncode == 0, said.stderr
        assert "terminated" in said.stderr
        parts.rows("UPDATE exports.export_jobs SET status = 'CANCELLED' WHERE id = %s", by_sql)
        soon(lambda: not reading(parts), seconds=5)
    for each in ids:
        soon(lambda each=each: set(runs_of(parts, each).values()) == {"CANCELED"}, seconds=120)
        assert jobs.get(parts.database, each).status is JobStatus.CANCELLED
        soon(lambda each=each: actions(parts, each)["cancelled"], seconds=120)
        assert actions(parts, each)["cancelled"] == 1
        assert not list((parts.home / "store" / "exports").glob(f"*/{each}/*"))


def waiting_in_vain(parts: Parts) -> str:
    """A row that plain SQL inserts; counting its rows waits for the lock too, but not for long."""
    [(job_id,)] = parts.rows(
        "INSERT INTO exports.export_jobs (user_id, type, input) VALUES ('c0queue1', 'BULK_CSV',"
        " jsonb_build_object('subject_id', %s::text, 'expiry_hours', 24, 'options', %s::jsonb)) RETURNING id",
        SHOWCASE_RUN_ID,
        json.dumps({"allow_partial": False, "compression": "none", "profile": "flat", "strict": False}),
    )
    return job_id


def test_a_job_whose_worker_is_killed_goes_on_in_a_new_run_and_is_never_failed(parts: Parts) -> None:
    job_id = insert(parts, "RUN_BUNDLE", SHOWCASE_RUN_ID)
    first = once(parts, job_id, lambda job: job.rows_done > 0).dagster_run_id
    os.kill(parts.ui.worker(first), signal.SIGKILL)
    waiting = once(parts, job_id, lambda job: job.launch == 2)
    assert waiting.status is JobStatus.PROCESSING
    done = once(parts, job_id, has(JobStatus.COMPLETED))
    assert done.dagster_run_id != first
    soon(lambda: set(runs_of(parts, job_id).values()) == {"FAILURE", "SUCCESS"}, seconds=120)
    # It has many shards, so its steps had processes of their own and handed their records on through the store.
    assert any("in subprocess" in event.get("message", "") for event in parts.ui.events(done.dagster_run_id))
    assert actions(parts, job_id) == Counter(created=1, started=2, completed=1, link_minted=1)


def test_rows_from_ten_users_are_each_exported_once_within_the_limits_while_the_daemon_is_killed_twice(
    parts: Parts,
) -> None:
    """Every job once, and one run each; the wrong rows among them are FAILED with the reason."""
    with Sampling(parts.database, total=TOTAL, per_user=PER_USER) as sampling:
        ids = [job_id for (job_id,) in parts.rows(INSERT_AT_ONCE, JOBS // 4, USERS, SHOWCASE_DEFINITION_ID, JOBS - 1)]
        wrong = [insert(parts, "NO_SUCH_TYPE"), insert(parts, subject="c0nosuchdefinition")]
        for share in (JOBS // 4, JOBS // 2):
            soon(lambda share=share: len(completed(parts, ids)) >= share, seconds=900)
            parts.kill("daemon")
            time.sleep(1)
            parts.start("daemon")
        soon(lambda: parts.rows(UNFINISHED) == [(0,)], seconds=1500)
    assert sampling.trouble == []
    assert sampling.samples > JOBS
    assert sampling.most == TOTAL
    states = Counter(jobs.get(parts.database, job_id).status for job_id in ids)
    assert states == {JobStatus.COMPLETED: JOBS}
    once_each = Counter(created=1, started=1, completed=1, link_minted=1)
    assert [actions(parts, job_id) for job_id in ids] == [once_each] * JOBS
    assert {len(runs_of(parts, job_id)) for job_id in ids} == {1}
    errors = [jobs.get(parts.database, job_id).error or "" for job_id in wrong]
    assert "NO_SUCH_TYPE" in errors[0]
    assert "c0nosuchdefinition" in errors[1]


def completed(parts: Parts, ids: list[str]) -> list[Any]:
    return parts.rows("SELECT id FROM exports.export_jobs WHERE status = 'COMPLETED' AND id = ANY(%s)", ids)
