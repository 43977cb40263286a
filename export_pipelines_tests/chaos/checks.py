"""What has to be true after a crash, and after the export that it hit was run again."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from export_pipelines.core.jobs import ExportJob, JobRef, JobStatus
from export_pipelines.db import jobs, leases, ledger
from export_pipelines.db.database import Database
from export_pipelines.steps import staging
from export_pipelines.steps.export import SECONDS_TO_LET_GO, run_export
from export_pipelines.steps.resume import QUIET
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.sweep import sweep
from export_pipelines.steps.upload import MANIFEST_SUFFIX
from export_pipelines.steps.verify import verify_job, verify_path
from export_pipelines_tests.deployments import WORKERS_NAME
from export_pipelines_tests.steps.orders import order

_UNDISTURBED: dict[tuple[object, ...], str | None] = {}
_UNFINISHED = (JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.FAILED)


def check_nothing_half_done(services: Services, job_id: str, *, killed: bool = True) -> None:
    """What is in sight is whole, and the row says how things stand.

    Args:
        services: of the deployment whose worker died.
        job_id: what it worked on.
        killed: it could not say anything; otherwise it met an error, and the row may say which.
    """
    wait_until_let_go(services.database, job_id)
    job = jobs.get(services.database, job_id)
    for path in published(services, job):
        assert verify_path(path).problems == ()
    if job.status is JobStatus.COMPLETED:
        assert verify_job(services, job_id).problems == ()
        return
    assert job.status in _UNFINISHED
    assert (job.output_path, job.completed_at, job.checksum) == (None, None, None)
    assert (job.status is JobStatus.FAILED) == (job.error is not None)
    assert not (killed and job.status is JobStatus.FAILED), job.error


def wait_until_let_go(database: Database, job_id: str) -> None:
    """Wait until PostgreSQL has noticed that the worker is dead, which takes its processes a moment on a busy machine.

    Until then one of them may still hold the lease, carry out what the worker asked for last, or not have begun with
    it. Whoever takes the job up waits as long.
    """
    give_up = time.monotonic() + SECONDS_TO_LET_GO
    while leases.is_held(database, job_id) or _is_served(database):
        assert time.monotonic() < give_up, "a dead worker's lease is held, or one of its connections still open"
        time.sleep(0.01)


def wait_until_quiet(database: Database, job_id: str) -> None:
    """The same; then it was as long ago as it takes for a job to count as interrupted."""
    wait_until_let_go(database, job_id)
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE exports.export_jobs SET updated_at = updated_at - %s WHERE id = %s", [QUIET, job_id])


def _is_served(database: Database) -> bool:
    """Whether the server has a process for any worker of a deployment under test."""
    with database.raw_connection(autocommit=True) as connection:
        found = connection.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s)",
            [WORKERS_NAME],
        ).fetchone()
    return found == (True,)


def check_completed_by_running_again(services: Services, job_id: str) -> ExportJob:
    """The job completes with the bytes of an export that nobody disturbed, and nothing else is left of it."""
    before = jobs.get(services.database, job_id)
    kept = kept_work(services, before)
    done = before if before.status is JobStatus.COMPLETED else run_export(services, job_id)
    assert done.status is JobStatus.COMPLETED
    assert verify_job(services, job_id).problems == ()
    assert done.checksum == undisturbed(services, done)
    assert len(published(services, done)) == 1
    kept.check_reused(done)
    check_nothing_left_behind(services)
    return done


def undisturbed(services: Services, job: ExportJob) -> str | None:
    """SHA-256 of an export like this one that nobody killed.

    It is made once, since the same data gives the same bytes in any database.
    """
    options = jobs.request_of(job).options
    like = (job.type, *sorted(options.items()), services.settings.shard_bytes)
    if like not in _UNDISTURBED:
        _UNDISTURBED[like] = run_export(services, submit(services, order(job.type, **options)).id).checksum
    return _UNDISTURBED[like]


@dataclass(frozen=True, kw_only=True)
class KeptWork:
    """What has to be used again when the job is run again.

    Attributes:
        attempt: the one that has to complete it: the same where everything had been read.
        files: what was finished, by path: inode and time of change of each file.
        unfinished: parts that were written but that the ledger never knew of.
    """

    attempt: int
    files: Mapping[Path, tuple[int, int]]
    unfinished: int

    def check_reused(self, done: ExportJob) -> None:
        """Nothing that was finished has been written again, and at most one shard of work was in vain."""
        assert done.attempt == self.attempt
        assert {path: _identity(path) for path in self.files} == self.files
        assert self.unfinished <= 1


def kept_work(services: Services, job: ExportJob) -> KeptWork:
    """Look what is there before the job is run again; rows that were not all frozen are of a snapshot that is lost."""
    ref, root = jobs.ref_of(job), services.settings.home / "store"
    goes_on = services.store.stat(staging.frozen_key(ref)) is not None
    if not goes_on:
        is_new = job.status in (JobStatus.PENDING, JobStatus.COMPLETED)
        return KeptWork(attempt=job.attempt if is_new else job.attempt + 1, files={}, unfinished=0)
    entries = ledger.entries(services.database, ref)
    frozen = [entry.shard.staged for entry in entries if entry.shard]
    parts = [staged for entry in entries if entry.part for staged in (entry.part.body, entry.part.index)]
    keys = {staging.frozen_key(ref), staging.context_key(ref), *(staged.key for staged in (*frozen, *parts) if staged)}
    rendered = {f"{ref.staging_prefix}/rendered/{path.name}" for path in _parts(root, ref)}
    return KeptWork(
        attempt=job.attempt,
        files={root / key: _identity(root / key) for key in keys},
        unfinished=len(rendered - keys),
    )


def _parts(root: Path, ref: JobRef) -> list[Path]:
    return list((root / ref.staging_prefix / "rendered").glob("*.part"))


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def check_nothing_left_behind(services: Services) -> None:
    """After the sweep the store holds published files and their manifests, and no trace of unfinished work."""
    grace = timedelta(seconds=services.settings.staging_grace_seconds + 60)
    sweep(replace(services, clock=lambda: datetime.now(UTC) + grace))
    root = services.settings.home / "store"
    kept = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    paths = [job.output_path for job in jobs.list_jobs(services.database) if job.output_path]
    assert kept == {path + suffix for path in paths for suffix in ("", MANIFEST_SUFFIX)}


def published(services: Services, job: ExportJob) -> list[Path]:
    """The files, without their manifests, that lie where this job publishes."""
    folder = services.settings.home / "store" / jobs.ref_of(job).final_prefix
    return [path for path in folder.glob("*") if not path.name.endswith(MANIFEST_SUFFIX)]
