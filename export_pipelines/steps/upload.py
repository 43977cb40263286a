"""Upload: publish the package under its final key; nothing is visible there before, everything is after."""

from export_pipelines.core.errors import SupersededError
from export_pipelines.core.frozen import Package, Segment, StoredFile
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps import staging
from export_pipelines.steps.progress import PUBLISHING, Progress
from export_pipelines.steps.services import Services

MANIFEST_SUFFIX = ".manifest.json"


def upload(services: Services, package: Package) -> StoredFile:
    """Publish the sidecar, then the file: where the file is, its sidecar is too. May run twice.

    Raises:
        SupersededError: the job moved on meanwhile; nothing was published, or it was taken back.
        StoreUnavailableError: the store would not take it.
    """
    store, ref = services.store, package.job
    jobs.require_current(services.database, ref)
    segments = staging.read_record(store, package.composition.key, tuple[Segment, ...])
    key = f"{ref.final_prefix}/{package.file_name}"
    manifest_key = key + MANIFEST_SUFFIX
    manifest = Segment(key=package.manifest.key, offset=0, size=package.manifest.size)
    try:
        with Progress(services, ref, PUBLISHING) as progress:
            progress.bytes_total = package.size
            store.compose(manifest_key, [manifest], media_type="application/json")
            store.compose(key, segments, media_type=package.media_type, proceed=progress.advance)
            progress.advance(size=package.size)
    except SupersededError:
        take_back(services, ref.job_id, key=key, manifest_key=manifest_key)
        raise
    path = store.local_path(key)
    return StoredFile(
        job=ref,
        key=key,
        manifest_key=manifest_key,
        url=store.url(key),
        size=package.size,
        sha256=package.sha256,
        record_count=package.record_count,
        media_type=package.media_type,
        fidelity=package.fidelity,
        partial=package.partial,
        local_path=None if path is None else str(path),
    )


def take_back(services: Services, job_id: str, *, key: str, manifest_key: str) -> None:
    """Remove what was published for a job that is over without it; what another attempt may have published stays."""
    if jobs.get(services.database, job_id).status not in (JobStatus.PROCESSING, JobStatus.COMPLETED):
        services.store.delete(key)
        services.store.delete(manifest_key)
