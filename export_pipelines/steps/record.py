"""Record: the one transition that makes a published file a completed export."""

from datetime import timedelta

from export_pipelines.core.errors import SupersededError
from export_pipelines.core.frozen import StoredFile
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps.services import Services
from export_pipelines.steps.upload import take_back
from export_pipelines.storage.links import mint
from export_pipelines.storage.secret import link_secret


def record(services: Services, stored: StoredFile) -> ExportJob:
    """Set the job COMPLETED with its link, size, counts, checksum and expiry.

    Run twice for the same file, the second time finds the row and leaves it. When the job moved on (cancelled, say),
    the published file is taken back.

    Raises:
        SupersededError: the job moved on; the file was removed again.
    """
    now = services.clock()
    job = jobs.get(services.database, stored.job.job_id)
    if job.status is JobStatus.COMPLETED and job.checksum == stored.sha256 and job.attempt == stored.job.attempt:
        return job
    expires_at = now + timedelta(hours=jobs.request_of(job).expiry_hours)
    token = mint(link_secret(services.settings), job_id=job.id, expires_at=expires_at)
    url = f"{services.settings.public_url}/downloads/{token}"
    try:
        return jobs.complete(services.database, stored, url=url, expires_at=expires_at, now=now)
    except SupersededError:
        take_back(services, job.id, key=stored.key, manifest_key=stored.manifest_key)
        raise
