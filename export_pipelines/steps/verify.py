"""Verify: a file on this machine, or a job's published file, against its sidecar manifest."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.db import jobs
from export_pipelines.packaging import sidecar
from export_pipelines.packaging.problems import Verification
from export_pipelines.packaging.verify import verify_file
from export_pipelines.steps.services import Services
from export_pipelines.steps.upload import MANIFEST_SUFFIX


def verify_path(path: Path) -> Verification:
    """Check a file against the manifest that lies beside it.

    Raises:
        ValidationError: the manifest cannot be read.
        NotFoundError: file or manifest is not there.
    """
    beside = Path(f"{path}{MANIFEST_SUFFIX}")
    for needed in (path, beside):
        if not needed.is_file():
            raise NotFoundError(f"{needed} is not there; a file is verified against the manifest beside it.")
    try:
        return verify_file(path, manifest=sidecar.read(beside.read_bytes()))
    except PermissionError as error:
        raise ValidationError(f"{error.filename} cannot be read: permission denied.") from error
    except ValidationError as error:
        raise ValidationError(f"{beside} is no manifest to go by. {error}") from error


def verify_job(services: Services, id_or_prefix: str) -> Verification:
    """Check a job's published file, and that the job's row says the same of it.

    Raises:
        NotFoundError: there is no such job, or its file is gone.
        ConflictError: the job has no file.
    """
    job = jobs.find(services.database, id_or_prefix)
    if job.output_path is None or job.status != "COMPLETED":
        raise ConflictError(f"job {job.id} is {job.status}, so there is no file to verify.")
    with services.store.open(job.output_path + MANIFEST_SUFFIX) as stream:
        manifest = sidecar.read(stream.read())
    with _local_copy(services, job.output_path) as path:
        found = verify_file(path, manifest=manifest)
    stated = {
        "SHA-256": (job.checksum, manifest.file.sha256),
        "size in bytes": (job.output_size_bytes, manifest.file.size),
        "number of records": (job.record_count, manifest.record_count),
    }
    differing = tuple(
        f"the job's row states {row} as the {what}, the manifest {sidecar_}"
        for what, (row, sidecar_) in stated.items()
        if row != sidecar_
    )
    return Verification(problems=found.problems + differing, checked=(*found.checked, "the job's row"))


@contextmanager
def _local_copy(services: Services, key: str) -> Iterator[Path]:
    """The file where it can be read in any order; from elsewhere it is fetched for the time of the check."""
    path = services.store.local_path(key)
    if path is not None:
        if not path.is_file():
            raise NotFoundError(f"{path} is gone from the store; export again.")
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="export-pipelines-verify-") as copy:
        with services.store.open(key) as stream:
            shutil.copyfileobj(stream, copy, 1 << 20)
        copy.flush()
        yield Path(copy.name)
