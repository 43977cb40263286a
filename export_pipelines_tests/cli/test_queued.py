"""``export --queue`` where no Dagster answers: the job waits for the daemon, and everybody is told."""

import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID
from export_pipelines_tests.deployments import Deployment

DEFINITION = ("export", "DEFINITION_MD", "--definition-id", SHOWCASE_DEFINITION_ID)


def test_a_queued_job_stays_pending_unclaimed_and_its_id_is_printed(deployment: Deployment) -> None:
    said = deployment.run(*DEFINITION, "--queue")
    assert said.status == 0
    [job] = jobs.list_jobs(deployment.database)
    assert said.out.split() == ["job", job.id, "status", "PENDING"]
    assert "no Dagster webserver answers at http://127.0.0.1:9" in said.err
    assert "stays PENDING until the Dagster daemon finds it" in said.err
    assert (job.status, job.claimed_by) == (JobStatus.PENDING, None)


def test_json_is_the_pending_row_and_nothing_else(deployment: Deployment) -> None:
    row = deployment.run(*DEFINITION, "--queue", "--json").json
    assert (row["status"], row["launch"], row["dagster_run_url"]) == ("PENDING", 1, None)
    assert row["id"] == jobs.list_jobs(deployment.database)[0].id


def test_an_export_of_the_same_thing_leaves_the_queued_job_where_it_is(deployment: Deployment) -> None:
    queued = deployment.run(*DEFINITION, "--queue", "--json").json["id"]
    with deployment.database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET updated_at = now() - interval '1 hour'")
        connection.commit()
    done = deployment.run(*DEFINITION, "--json").json
    assert (done["status"], done["claimed_by"]) == ("COMPLETED", "command line")
    assert done["id"] != queued
    assert jobs.get(deployment.database, queued).status is JobStatus.PENDING


def test_a_queued_job_is_cancelled_like_any_other(deployment: Deployment) -> None:
    queued = deployment.run(*DEFINITION, "--queue", "--json").json["id"]
    cancelled = deployment.run("jobs", "cancel", queued)
    assert (cancelled.status, cancelled.out, cancelled.err) == (0, f"job {queued} is CANCELLED\n", "")


@pytest.mark.parametrize(
    ("arguments", "environ", "reason"),
    [
        (("--queue", "--out", "."), {}, "without --out"),
        (("--queue", "--expiry-hours", "0"), {}, "1 to 168"),
        (("--queue",), {"EXPORT_PIPELINES_DAGSTER_URL": "dagster:3000"}, "must look like http://127.0.0.1:3000"),
    ],
)
def test_what_is_wrong_is_refused_and_queues_nothing(
    deployment: Deployment, arguments: tuple[str, ...], environ: dict[str, str], reason: str
) -> None:
    refused = deployment.run(*DEFINITION, *arguments, **environ)
    assert refused.status == 2
    assert reason in refused.err
    assert jobs.list_jobs(deployment.database) == ()
