"""The sensor that turns waiting export jobs into runs; whose turn it is, is decided in the database."""

from collections.abc import Sequence

import dagster as dg

from export_pipelines.core.jobs import ExportJob
from export_pipelines.db.database import Database
from export_pipelines.orchestration.resources import services_of
from export_pipelines.steps.queue import Turn, launch_request, next_turn
from export_pipelines.steps.services import Services
from export_pipelines.storage.store import ObjectStore

SENSOR = "launch_pending_jobs"

WATCH_SECONDS = 4.0
"""The daemon looks at its sensors every five seconds, whatever they ask for. An idle queue is watched in between."""


def build_launch_sensor(
    export_jobs: Sequence[dg.JobDefinition], *, watch_seconds: float = WATCH_SECONDS
) -> dg.SensorDefinition:
    """The sensor, for the jobs it launches."""

    @dg.sensor(
        name=SENSOR,
        description="Launches a run for every export job that waits in the database: made by the command line, the "
        "API, a schedule or plain SQL, or interrupted by the loss of its worker. Users take turns, small exports go "
        "first, and the limits of the deployment are kept; what cannot be exported becomes FAILED with the reason.",
        jobs=export_jobs,
        default_status=dg.DefaultSensorStatus.RUNNING,
        # Less than five seconds are five seconds; five are sometimes ten.
        minimum_interval_seconds=2,
    )
    def launch_pending_jobs(
        context: dg.SensorEvaluationContext, database: dg.ResourceParam[Database], store: dg.ResourceParam[ObjectStore]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        services = services_of(database, store)
        turn = next_turn(services, by=f"sensor {SENSOR}", watch_seconds=watch_seconds)
        return [run_request(services, job) for job in turn.claimed] or dg.SkipReason(why_nothing(turn))

    return launch_pending_jobs


def run_request(services: Services, job: ExportJob) -> dg.RunRequest:
    """The run that a claimed job was promised."""
    request = launch_request(services, job)
    return dg.RunRequest(
        run_key=request.run_key,
        job_name=request.dagster_job,
        run_config=dict(request.run_config),
        tags=dict(request.tags),
    )


def why_nothing(turn: Turn) -> str:
    """What a tick says that launches nothing."""
    said = []
    if turn.refused:
        said.append(f"Refused {len(turn.refused)} rows that cannot be exported: {', '.join(turn.refused)}.")
    length, ready = turn.length, turn.length.waiting - turn.length.delayed
    if not length.waiting:
        said.append("No export job is waiting.")
    if ready:
        said.append(
            f"{ready} export jobs are waiting while {length.running} run: as many as EXPORT_PIPELINES_MAX_RUNNING and "
            "EXPORT_PIPELINES_MAX_RUNNING_PER_USER allow."
        )
    if length.delayed:
        said.append(f"{length.delayed} export jobs wait for the pause to end that follows the loss of a worker.")
    return " ".join(said)
