"""Our errors as Dagster's, in one place: what is retried, what is not, and what the row is told."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg

from export_pipelines.core.errors import ExportPipelinesError, UnavailableError
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.orchestration.clock import now
from export_pipelines.orchestration.executors import never_retries

RETRIES = 2
RETRY_DELAY_SECONDS = 30.0

NO_RUN_RETRY = {"dagster/retry_on_asset_or_op_failure": "false"}
"""``allow_retries=False`` stops the op's own policy only; the run-retry daemon reads this tag."""


@contextmanager
def translated(*, tries: int | None = None, delay_seconds: float = RETRY_DELAY_SECONDS) -> Iterator[None]:
    """Raise our errors as Dagster's; only what may pass by itself is tried again.

    Waits are exponential, ``(2**n - 1) * delay``: 30 s, then 90 s. This is not left to a ``dg.RetryPolicy``, which
    takes a person's order to terminate the run for one more failure, and goes on with the run after a pause. An error
    that is nobody's (a bug) is not worth retrying either: the second try would meet it again.

    Args:
        tries: how often this was tried before; None when it shall not be tried again.
        delay_seconds: the base of the waits.
    """
    try:
        yield
    except UnavailableError as error:
        if tries is None or tries >= RETRIES:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        wait = (2 ** (tries + 1) - 1) * delay_seconds
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=wait) from error
    except ExportPipelinesError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        description = f"unexpected {type(error).__name__}: {error}. This is a defect; please report it with the log."
        raise dg.Failure(description=description, allow_retries=False) from error


@contextmanager
def failing_its_job(
    run: dg.DagsterRun, database: Database, *, tries: int, delay_seconds: float = RETRY_DELAY_SECONDS
) -> Iterator[None]:
    """As :func:`translated`; what is not tried again also turns the row FAILED at once, with the very message.

    A hook would do the same, at the price of an event in each step that does not fail. For what fails outside of every
    such block (a resource, the run's config, a process that died) the failure sensor does it.

    Args:
        run: whose job it is.
        database: where its row is.
        tries: how often this was tried before.
        delay_seconds: the base of the waits.
    """
    try:
        with translated(tries=None if never_retries(run.run_config) else tries, delay_seconds=delay_seconds):
            yield
    except dg.Failure as failure:
        # Where the row cannot be reached either, the sensor's turn comes.
        with suppress(ExportPipelinesError):
            fail_jobs_of_run(database, run.run_id, failure.description or "the run failed without a message")
        raise


_NOBODY_SAID = "This run has been marked as failed from outside the execution context."
"""What Dagster writes for a run whose worker was killed."""


def why(event: dg.DagsterEvent, *, run_id: str) -> str:
    """Why a run failed, for the row, as whole sentences."""
    reason = event.message or "no reason was recorded"
    if reason == _NOBODY_SAID:
        reason = "Its worker was killed, ran out of memory, or went away with its machine."
    return f"Dagster run {run_id} failed. {reason}"


def fail_jobs_of_run(database: Database, run_id: str, reason: str) -> list[str]:
    """Fail whatever job the Dagster run was still working on; the ids of the jobs that changed."""
    changed = []
    for job in jobs.find_by_dagster_runs(database, [run_id]):
        if jobs.fail(database, job_id=job.id, attempt=job.attempt, error=reason, now=now()):
            changed.append(job.id)
    return changed
