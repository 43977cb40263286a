"""Of several runs for one job, the one that was promised begins, and the others leave it alone."""

import pytest

from export_pipelines.core.errors import SupersededError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps.begin import begin, take_up
from export_pipelines.steps.lost import resume_or_fail
from export_pipelines.steps.queue import claim
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines_tests.steps.orders import order


def test_the_second_run_of_one_launch_is_refused_and_does_the_first_no_harm(services: Services) -> None:
    submit(services, order("BULK_CSV"))
    [job] = claim(services, by="test")
    first = begin(services, job.id, dagster_run_id="run-1", run_key=job.run_key)
    with pytest.raises(SupersededError, match=r"another run \(run-1\)"):
        begin(services, job.id, dagster_run_id="run-2", run_key=job.run_key)
    assert jobs.get(services.database, job.id) == first
    assert begin(services, job.id, dagster_run_id="run-1", run_key=job.run_key).status is JobStatus.PROCESSING


def test_a_run_that_comes_when_it_was_given_up_is_refused(services: Services) -> None:
    submit(services, order("BULK_CSV"))
    [job] = claim(services, by="test")
    assert resume_or_fail(services, job, reason="The run never began.")
    with pytest.raises(SupersededError, match=f"launched as {job.id}-1"):
        begin(services, job.id, dagster_run_id="run-1", run_key=job.run_key)
    assert begin(services, job.id, dagster_run_id="run-2", run_key=f"{job.id}-2").launch_after is None


def test_a_run_for_a_job_that_is_over_is_refused(services: Services) -> None:
    submit(services, order("BULK_CSV"))
    [job] = claim(services, by="test")
    jobs.cancel(services.database, job.id, now=services.clock())
    with pytest.raises(SupersededError, match="CANCELLED already"):
        begin(services, job.id, dagster_run_id="run-1", run_key=job.run_key)


def test_a_run_that_is_executed_again_by_hand_takes_the_job_out_of_the_queue(services: Services) -> None:
    submit(services, order("BULK_CSV"))
    [job] = claim(services, by="test")
    lost = begin(services, job.id, dagster_run_id="run-1", run_key=job.run_key)
    assert resume_or_fail(services, lost, reason="Its worker was killed.")
    with pytest.raises(SupersededError):
        take_up(services, jobs.ref_of(lost), dagster_run_id="run-1")
    take_up(services, jobs.ref_of(lost), dagster_run_id="run-by-hand")
    assert jobs.queue_length(services.database, now=services.clock()).waiting == 0
    assert jobs.get(services.database, job.id).dagster_run_id == "run-by-hand"
