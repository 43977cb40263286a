"""``export-pipelines jobs`` and ``sweep``: listing, looking, continuing, cancelling."""

import json
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs, leases
from export_pipelines.db.evaluation.lookup import find_user
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DEFINITION_ID
from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import submit
from export_pipelines.steps.sweep import sweep
from export_pipelines_tests.chaos.checks import wait_until_let_go
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.dying import Point
from export_pipelines_tests.steps.orders import order

RENDER = "export_pipelines.steps.export:render"


def pending(deployment: Deployment, type_name: str = "BULK_CSV") -> ExportJob:
    return submit(deployment.services, order(type_name))


def completed(deployment: Deployment, type_name: str = "DEFINITION_MD") -> ExportJob:
    return run_export(deployment.services, pending(deployment, type_name).id)


def test_the_list_is_newest_first_and_can_be_narrowed_down(deployment: Deployment) -> None:
    old, new = completed(deployment), pending(deployment)
    listed = deployment.run("jobs")
    lines = listed.out.splitlines()
    assert lines[0].split()[:4] == ["ID", "TYPE", "STATUS", "DONE"]
    assert [line.split()[:3] for line in lines[1:]] == [
        [new.id, "BULK_CSV", "PENDING"],
        [old.id, "DEFINITION_MD", "COMPLETED"],
    ]
    assert [row["id"] for row in deployment.run("jobs", "--json").json] == [new.id, old.id]
    for narrowed in (("--status", "completed"), ("--type", "definition_md")):
        assert [row["id"] for row in deployment.run("jobs", *narrowed, "--json").json] == [old.id]
    assert [row["id"] for row in deployment.run("jobs", "--limit", "1", "--json").json] == [new.id]


def test_what_people_call_their_exports_neither_steers_the_terminal_nor_breaks_the_table(
    deployment: Deployment,
) -> None:
    job = submit(deployment.services, replace(order("BULK_CSV"), title="April\n\x1b[31mred\u202e, café 👩‍🔬"))
    listed = deployment.run("jobs")
    assert len(listed.out.splitlines()) == 2
    assert listed.out.splitlines()[1].endswith(r"April\n\x1b[31mred\u202e, café 👩‍🔬")
    assert r"April\n\x1b[31mred" in deployment.run("jobs", "show", job.id).out
    assert deployment.run("jobs", "--json").json[0]["title"] == job.title


def test_a_row_of_plain_sql_with_an_impossible_path_is_shown_and_so_are_the_others(deployment: Deployment) -> None:
    job = pending(deployment)
    statement = """INSERT INTO exports.export_jobs
        (user_id, type, input, status, output_path, output_url, completed_at, expires_at)
        VALUES (%s, 'BULK_CSV', '{}', 'COMPLETED', '../../etc', 'u', now(), now() + interval '1 h') RETURNING id"""
    with deployment.database.raw_connection(autocommit=True) as connection:
        [odd] = connection.execute(statement.encode(), [job.user_id]).fetchone() or [""]
    assert {row["id"] for row in deployment.run("jobs", "--json").json} == {job.id, odd}
    assert deployment.run("jobs", "show", odd).status == 0


def test_one_job_is_shown_whole_with_its_history(deployment: Deployment) -> None:
    job = completed(deployment)
    assert deployment.run("jobs", "show", job.id[:20], "--json").json["checksum"] == job.checksum
    shown = deployment.run("jobs", "show", job.id)
    assert shown.status == 0
    for text in (job.title, str(job.checksum), str(job.output_url), str(deployment.store)):
        assert text in shown.out
    history = ["created", "started", "completed", "link_minted"]
    assert [line.split()[-1] for line in shown.out.splitlines()[-4:]] == history


def test_a_row_of_plain_sql_is_checked_before_it_is_carried_out_by_hand(deployment: Deployment) -> None:
    statement = "INSERT INTO exports.export_jobs (user_id, type, input, size_hint) VALUES (%s, %s, %s, 1) RETURNING id"
    user = find_user(deployment.database, DEMO_USER_EMAIL).id
    wanted = ({"definition_id": SHOWCASE_DEFINITION_ID}, {"definition_id": "c0nosuch"})
    with deployment.database.raw_connection(autocommit=True) as connection:
        [right], [wrong] = (
            connection.execute(statement, [user, "DEFINITION_MD", json.dumps(given)]).fetchone() for given in wanted
        )
    assert deployment.run("jobs", "retry", right, "--json").json["status"] == "COMPLETED"
    refused = deployment.run("jobs", "retry", wrong)
    assert refused.status == 2
    assert f"job {wrong} is FAILED: the row asks for something that cannot be exported" in refused.err


def test_a_terminal_without_the_letters_gets_their_numbers_and_json_says_the_same_everywhere(
    deployment: Deployment,
) -> None:
    title = "नमस्ते 日本 😀"
    submit(deployment.services, replace(order("BULK_CSV"), title=title))
    poor = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    shown, machine = deployment.script("jobs", **poor), deployment.script("jobs", "--json", **poor)
    assert (shown.status, machine.status) == (0, 0)
    assert "\\u65e5\\u672c \\U0001f600" in shown.out
    assert machine.out.isascii()
    assert machine.json == deployment.run("jobs", "--json").json
    assert machine.json[0]["title"] == title


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("jobs", "show", "cnosuchjob"), "There is no export job 'cnosuchjob'"),
        (("jobs", "show", "../etc"), "There is no export job '../etc'"),
        (("jobs", "retry", "cnosuchjob"), "There is no export job 'cnosuchjob'"),
        (("jobs", "cancel", "cnosuchjob"), "There is no export job 'cnosuchjob'"),
        (("jobs", "--status", "DONE"), "there are PENDING, PROCESSING, COMPLETED, FAILED, EXPIRED, CANCELLED"),
        (("jobs", "--type", "BULK_XML"), "export type 'BULK_XML' is unknown"),
    ],
    ids=lambda value: value[1] + "-" + value[2] if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_a_wrong_request(shared: Deployment, arguments: tuple[str, ...], said: str) -> None:
    refused = shared.run(*arguments)
    assert (refused.status, refused.out) == (2, "")
    assert said in refused.err
    assert refused.err.count("\n") == 1


def test_a_finished_job_is_neither_continued_nor_cancelled(deployment: Deployment) -> None:
    job = completed(deployment)
    for command, said in (("retry", "start a new export instead"), ("cancel", "there is nothing left to cancel")):
        refused = deployment.run("jobs", command, job.id)
        assert (refused.status, refused.out) == (2, "")
        assert refused.err == f"error: job {job.id} is COMPLETED; {said}.\n"
    assert jobs.get(deployment.database, job.id) == job


def test_a_job_that_somebody_works_on_is_not_continued_by_another(deployment: Deployment) -> None:
    job = pending(deployment)
    with leases.hold(deployment.database, job.id):
        refused = deployment.run("jobs", "retry", job.id)
    assert refused.status == 2
    assert "is being worked on right now" in refused.err
    assert jobs.get(deployment.database, job.id).status is JobStatus.PENDING


def test_cancelling_stops_whoever_works_on_the_job_and_leaves_no_file(deployment: Deployment) -> None:
    job = pending(deployment)
    worker = deployment.work(Point(target=RENDER, when="after", number=signal.SIGSTOP), job.id)
    worker.wait_until_stopped()
    cancelled = deployment.run("jobs", "cancel", job.id)
    worker.go_on()
    ended = worker.wait()
    assert (cancelled.status, cancelled.out) == (0, f"job {job.id} is CANCELLED\n")
    assert ended.status == 1
    assert f"{job.id} is CANCELLED" in ended.err
    assert jobs.get(deployment.database, job.id).status is JobStatus.CANCELLED
    assert list(deployment.services.store.list("exports/")) == []


def test_the_sweep_has_a_job_whose_worker_died_wait_for_another_and_retry_continues_it_at_once(
    deployment: Deployment,
) -> None:
    job = pending(deployment)
    deployment.work(Point(target=RENDER, when="after"), job.id).wait()
    wait_until_let_go(deployment.database, job.id)
    later = replace(deployment.services, clock=lambda: datetime.now(UTC) + timedelta(minutes=3))
    assert sweep(later).lost == (job.id,)
    shown = deployment.run("jobs", "show", job.id, "--json").json
    assert (shown["status"], shown["launch"], shown["error"]) == ("PROCESSING", 2, None)
    retried = deployment.run("jobs", "retry", job.id, "--json")
    assert retried.status == 0
    assert (retried.json["status"], retried.json["attempt"], retried.json["launch_after"]) == ("COMPLETED", 1, None)


def test_sweeping_says_what_it_did(deployment: Deployment) -> None:
    job = completed(deployment)
    with deployment.database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET completed_at = now() - interval '9 h', expires_at = now()")
        connection.commit()
    swept = deployment.run("sweep", EXPORT_PIPELINES_STAGING_GRACE_SECONDS="0")
    assert swept.status == 0
    assert swept.out.startswith("1 jobs expired, 0 jobs taken from dead workers, ")
    assert jobs.get(deployment.database, job.id).status is JobStatus.EXPIRED
    assert [path for path in deployment.store.rglob("*") if path.is_file()] == []


def test_expiring_and_sweeping_show_first_what_would_go(deployment: Deployment) -> None:
    job = completed(deployment)
    with deployment.database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET completed_at = now() - interval '9 h', expires_at = now()")
        connection.commit()
    shown = deployment.run("sweep", "--dry-run", EXPORT_PIPELINES_STAGING_GRACE_SECONDS="0")
    assert f"{job.output_path}  job {job.id} expired at " in shown.out
    assert f"staging/{job.id}/1/" in shown.out
    assert shown.out.endswith(" and 1 jobs' files would go\n")
    would = deployment.run("jobs", "expire", "--dry-run")
    assert (would.status, would.out.splitlines()[-1]) == (0, "1 jobs would be expired")
    assert jobs.get(deployment.database, job.id).status is JobStatus.COMPLETED
    assert deployment.run("jobs", "expire").out.splitlines()[-1] == "1 jobs were expired"
    assert jobs.get(deployment.database, job.id).status is JobStatus.EXPIRED
    assert list(deployment.services.store.list("exports/")) == []
    assert deployment.run("jobs", "expire").out == "0 jobs were expired\n"


def test_a_further_link_is_made_and_a_job_deleted_when_somebody_says_yes(deployment: Deployment) -> None:
    job = completed(deployment)
    made = deployment.run("jobs", "link", job.id, "--for", DEMO_USER_EMAIL, "--hours", "1")
    assert (made.status, made.err) == (0, "")
    assert made.out.startswith("http://127.0.0.1:8010/downloads/")
    assert deployment.run("jobs", "link", job.id, "--hours", "0").status == 2
    assert deployment.run("jobs", "delete", job.id).status == 1
    assert deployment.run("jobs", "delete", job.id, "--yes").out == f"job {job.id} is deleted\n"
    assert deployment.run("jobs", "show", job.id).status == 2
    assert list(deployment.services.store.list("exports/")) == []
    actions = [row["action"] for row in deployment.run("audit", "list", "--job", job.id, "--json").json]
    assert actions[:3] == ["deleted", "shared", "link_minted"]
