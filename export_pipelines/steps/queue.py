"""Queue: whose turn it is, and launching them at once through Dagster's webserver.

The sensor claims through the same function and has its daemon launch; what nobody could launch waits for its next tick.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from time import sleep

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import DagsterUnavailableError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs
from export_pipelines.db.jobs import Limits, Place, QueueLength
from export_pipelines.launching.requests import JOB_TAG, RUN_KEY_TAG, TYPE_TAG, USER_TAG, LaunchRequest
from export_pipelines.steps.admit import admit
from export_pipelines.steps.run_config import run_config_for
from export_pipelines.steps.services import Services

POLL_SECONDS = 0.5
"""Between two looks at an empty queue, each a query that an index answers."""


@dataclass(frozen=True, kw_only=True)
class Launched:
    """What became of an attempt to launch what waits.

    Attributes:
        runs: Dagster run id by export job id; empty when it was nobody's turn.
        trouble: why nothing, or not everything, was launched; the sensor will.
    """

    runs: Mapping[str, str] = field(default_factory=dict)
    trouble: str | None = None


@dataclass(frozen=True, kw_only=True)
class Terminated:
    """What became of an attempt to end a cancelled job's runs.

    Attributes:
        runs: ids of those that were ended.
        trouble: why not all of them were; their worker stops by itself.
    """

    runs: tuple[str, ...] = ()
    trouble: str | None = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One look at the queue.

    Attributes:
        claimed: jobs that whoever looked has to launch, in order.
        refused: ids of rows that cannot be exported.
        length: how the queue stood afterwards.
    """

    claimed: tuple[ExportJob, ...]
    refused: tuple[str, ...]
    length: QueueLength


def next_turn(services: Services, *, by: str, watch_seconds: float = 0, pause: Callable[[float], None] = sleep) -> Turn:
    """Check what plain SQL has inserted, and claim the jobs whose turn it is.

    An empty queue is watched for ``watch_seconds``, so that what comes in meanwhile need not wait for the next look.
    """
    give_up = services.clock() + timedelta(seconds=watch_seconds)
    while not queue_length(services).waiting and services.clock() < give_up:
        pause(POLL_SECONDS)
    refused = admit(services)
    claimed = claim(services, by=by)
    return Turn(claimed=claimed, refused=refused, length=queue_length(services))


def launch_waiting(services: Services, *, by: str) -> Launched:
    """Launch the jobs whose turn it is through the webserver; one that is away is no error, since the sensor looks too.

    ``by`` says who does it, on the rows. The order is the queue's: whoever has just made a job may launch another's.
    """
    if not queue_length(services).waiting:
        return Launched()
    # Each export ends with this look, and hardly ever finds somebody waiting: only then is an HTTP client needed.
    from export_pipelines.launching.dagster_api import DagsterApi, UnansweredError  # noqa: PLC0415

    api = DagsterApi(url=services.settings.dagster_url)
    if not api.is_there():
        return Launched(trouble=f"no Dagster webserver answers at {api.url} (EXPORT_PIPELINES_DAGSTER_URL)")
    runs: dict[str, str] = {}
    claimed = list(claim(services, by=by))
    while claimed:
        job = claimed.pop(0)
        try:
            runs[job.id] = api.launch(launch_request(services, job))
        except UnansweredError as error:
            # The run may be there: its claim stays, and who reconciles will see.
            _release(services, claimed)
            return Launched(runs=runs, trouble=str(error))
        except DagsterUnavailableError as error:
            _release(services, [job, *claimed])
            return Launched(runs=runs, trouble=str(error))
    return Launched(runs=runs)


def terminate_runs(services: Services, job: ExportJob) -> Terminated:
    """Have the runs of a cancelled job end in Dagster too; where nobody answers, its worker stops by itself."""
    from export_pipelines.launching.dagster_api import DagsterApi  # noqa: PLC0415  as above

    api = DagsterApi(url=services.settings.dagster_url)
    if not api.is_there():
        return Terminated()
    try:
        return Terminated(runs=api.terminate_runs_of(job.id))
    except DagsterUnavailableError as error:
        return Terminated(trouble=str(error))


def places_of(services: Services, found: Iterable[ExportJob]) -> Mapping[str, Place]:
    """Where those of the jobs that wait stand in the queue, by their ids."""
    return places(services, [job.id for job in found if job.waits and job.claimed_at is None])


def places(services: Services, job_ids: Iterable[str]) -> Mapping[str, Place]:
    """The same, for those who know ids only."""
    return jobs.places_of(services.database, job_ids, limits=_limits(services), now=services.clock())


def claim(services: Services, *, by: str) -> tuple[ExportJob, ...]:
    """Claim the jobs whose turn it is, within the deployment's limits."""
    return jobs.claim_launches(services.database, by=by, limits=_limits(services), now=services.clock())


def queue_length(services: Services) -> QueueLength:
    """How the queue stands now."""
    return jobs.queue_length(services.database, now=services.clock())


def launch_request(services: Services, job: ExportJob) -> LaunchRequest:
    """What the job's next run is launched with.

    Raises:
        ValidationError: the catalog has no such type.
    """
    type_ = export_type(job.type)
    return LaunchRequest(
        job_id=job.id,
        dagster_job=type_.job_name,
        run_key=job.run_key,
        run_config=run_config_for(services, job),
        tags={JOB_TAG: job.id, USER_TAG: job.user_id, TYPE_TAG: job.type, RUN_KEY_TAG: job.run_key},
    )


def _limits(services: Services) -> Limits:
    return Limits(total=services.settings.max_running, per_user=services.settings.max_running_per_user)


def _release(services: Services, claimed: list[ExportJob]) -> None:
    for job in claimed:
        jobs.release(services.database, job, now=services.clock())
