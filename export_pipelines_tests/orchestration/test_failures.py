"""Which errors are tried again, how long is waited, what is said in the end, and when the row hears of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from export_pipelines.core.errors import (
    DatabaseUnavailableError,
    IntegrityError,
    NotFoundError,
    StoreUnavailableError,
    SupersededError,
    ValidationError,
)
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.orchestration.failures import failing_its_job, translated
from export_pipelines_tests.db.rows import add_processing


def raised(error: BaseException, *, tries: int | None = 0) -> BaseException:
    with pytest.raises(BaseException) as caught, translated(tries=tries):  # noqa: PT011
        raise error
    return caught.value


@pytest.mark.parametrize("error", [DatabaseUnavailableError("away"), StoreUnavailableError("away")], ids=repr)
def test_what_may_pass_by_itself_is_tried_again_after_thirty_and_then_ninety_seconds(error: Exception) -> None:
    requests = [raised(error, tries=tries) for tries in (0, 1)]
    assert [type(request) for request in requests] == [dg.RetryRequested] * 2
    assert [request.seconds_to_wait for request in requests] == [30.0, 90.0]


def test_after_two_retries_the_error_itself_is_the_failure() -> None:
    failure = raised(StoreUnavailableError("the store at s3://exports does not answer"), tries=2)
    assert isinstance(failure, dg.Failure)
    assert failure.description == "the store at s3://exports does not answer"
    assert not failure.allow_retries


@pytest.mark.parametrize(
    "error", [ValidationError("x"), NotFoundError("x"), IntegrityError("x"), SupersededError("x")], ids=repr
)
def test_what_the_next_try_would_meet_again_is_not_tried_again(error: Exception) -> None:
    failure = raised(error)
    assert isinstance(failure, dg.Failure)
    assert (failure.description, failure.allow_retries) == ("x", False)


def test_a_defect_is_called_one_and_not_tried_again() -> None:
    failure = raised(KeyError("dimension"))
    assert isinstance(failure, dg.Failure)
    assert "unexpected KeyError: 'dimension'. This is a defect" in failure.description
    assert not failure.allow_retries


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_an_order_to_stop_goes_through_as_it_is(interruption: BaseException) -> None:
    assert raised(interruption) is interruption


RETRIES_OFF = {"execution": {"config": {"in_process": {"retries": {"disabled": {}}}}}}
AWAY = StoreUnavailableError("the store at s3://exports does not answer")


def at_work(database: Database) -> tuple[dg.DagsterRun, ExportJob]:
    """A run, and the job that it has begun."""
    run = dg.DagsterRun(job_name="export_bulk_csv", run_id=str(uuid4()))
    return run, add_processing(database, dagster_run_id=run.run_id)[0]


def failed_in(database: Database, error: BaseException, *, tries: int = 0, config: Mapping[str, Any] | None = None):
    """What came out of a step that met the error, and the job after it."""
    run, job = at_work(database)
    configured = dg.DagsterRun(job_name=run.job_name, run_id=run.run_id, run_config=config)
    with pytest.raises(BaseException) as caught, failing_its_job(configured, database, tries=tries):  # noqa: PT011
        raise error
    return caught.value, jobs.get(database, job.id)


def test_the_row_is_failed_with_the_error_itself_before_dagster_hears_of_it(database: Database) -> None:
    failure, job = failed_in(database, IntegrityError("shard 3 is damaged"))
    assert isinstance(failure, dg.Failure)
    assert (job.status, job.error) == (JobStatus.FAILED, "shard 3 is damaged")


@pytest.mark.parametrize("tries", [0, 1])
def test_the_row_is_left_alone_while_dagster_will_try_again(database: Database, tries: int) -> None:
    request, job = failed_in(database, AWAY, tries=tries)
    assert isinstance(request, dg.RetryRequested)
    assert (job.status, job.error) == (JobStatus.PROCESSING, None)


@pytest.mark.parametrize(("tries", "config"), [(2, {}), (0, RETRIES_OFF)], ids=["last try", "retries off"])
def test_the_row_is_failed_when_nobody_tries_again(database: Database, tries: int, config: Mapping[str, Any]) -> None:
    failure, job = failed_in(database, AWAY, tries=tries, config=config)
    assert isinstance(failure, dg.Failure)
    assert (job.status, job.error) == (JobStatus.FAILED, str(AWAY))


@pytest.mark.parametrize(
    "order", [dg.DagsterExecutionInterruptedError(), KeyboardInterrupt(), GeneratorExit()], ids=repr
)
def test_the_row_of_a_run_that_is_told_to_end_is_not_failed(database: Database, order: BaseException) -> None:
    raised_again, job = failed_in(database, order)
    assert raised_again is order
    assert job.status is JobStatus.PROCESSING


def test_the_row_of_a_job_that_is_another_runs_by_now_is_not_failed(database: Database) -> None:
    run, job = at_work(database)
    jobs.reopen(database, job.id, dagster_run_id="another run", now=datetime.now(UTC), new_attempt=False)
    with pytest.raises(dg.Failure), failing_its_job(run, database, tries=0):
        raise SupersededError("somebody else has it")
    assert jobs.get(database, job.id).status is JobStatus.PROCESSING


def test_a_cancelled_job_stays_cancelled_when_its_step_gives_up(database: Database) -> None:
    run, job = at_work(database)
    jobs.cancel(database, job.id, now=datetime.now(UTC))
    with pytest.raises(dg.Failure), failing_its_job(run, database, tries=0):
        raise SupersededError("the job moved on")
    assert jobs.get(database, job.id).status is JobStatus.CANCELLED


def test_the_steps_own_error_is_told_also_when_the_row_cannot_be_reached() -> None:
    # Nobody listens on port 9 (discard).
    away = Database("postgresql://nobody@127.0.0.1:9/nothing", connect_seconds=1)
    run = dg.DagsterRun(job_name="export_bulk_csv", run_id=str(uuid4()))
    with pytest.raises(dg.Failure, match="the definition is gone"), failing_its_job(run, away, tries=0):
        raise NotFoundError("the definition is gone")
