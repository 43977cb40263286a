"""Verify: a file on this machine, or a job's published file, against its sidecar manifest and its signature."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs
from export_pipelines.packaging import sidecar
from export_pipelines.packaging.problems import Findings, Verification
from export_pipelines.packaging.sidecar import SidecarManifest
from export_pipelines.packaging.signing import PublicKey, check_signature
from export_pipelines.packaging.verify import verify_file
from export_pipelines.steps.services import Services
from export_pipelines.steps.signing import known_keys
from export_pipelines.steps.upload import MANIFEST_SUFFIX


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whose signatures count.

    Attributes:
        keys: by their ids.
        allow_unsigned: whether a manifest without a signature will do.
    """

    keys: Mapping[str, PublicKey]
    allow_unsigned: bool = False


@dataclass(frozen=True, kw_only=True)
class Published:
    """A file and its sidecar, both readable here.

    Attributes:
        sidecar: the manifest's bytes, as they lie there.
        job: the row that the file was looked up by, if it was.
    """

    path: Path
    sidecar: bytes
    manifest: SidecarManifest
    job: ExportJob | None = None


def beside(path: Path) -> Published:
    """A file and the manifest that lies beside it.

    Raises:
        ValidationError: the manifest cannot be read.
        NotFoundError: file or manifest is not there.
    """
    manifest_path = Path(f"{path}{MANIFEST_SUFFIX}")
    for needed in (path, manifest_path):
        if not needed.is_file():
            raise NotFoundError(f"{needed} is not there; a file is verified against the manifest beside it.")
    try:
        data = manifest_path.read_bytes()
        return Published(path=path, sidecar=data, manifest=sidecar.read(data))
    except PermissionError as error:
        raise ValidationError(f"{error.filename} cannot be read: permission denied.") from error
    except ValidationError as error:
        raise ValidationError(f"{manifest_path} is no manifest to go by. {error}") from error


@contextmanager
def published(services: Services, id_or_prefix: str) -> Iterator[Published]:
    """A job's file and its sidecar; from a store elsewhere the file is fetched for the time of the block.

    Raises:
        NotFoundError: there is no such job, or its file is gone.
        ConflictError: the job has no file.
        ValidationError: the manifest cannot be read.
    """
    job = jobs.find(services.database, id_or_prefix)
    if job.output_path is None or job.status != "COMPLETED":
        raise ConflictError(f"job {job.id} is {job.status}, so there is no file to verify.")
    with services.store.open(job.output_path + MANIFEST_SUFFIX) as stream:
        data = stream.read()
    manifest = sidecar.read(data)
    with _local_copy(services, job.output_path) as path:
        yield Published(path=path, sidecar=data, manifest=manifest, job=job)


def verify(found: Published, *, trust: Trust | None) -> Verification:
    """Check the file against its manifest, the manifest against its signature, and the job's row against both.

    Args:
        found: file, sidecar and perhaps row.
        trust: whose signatures count; None looks at no signature, for those who know where the manifest is from.

    Raises:
        ValidationError: the file cannot be read.
    """
    try:
        outcomes = [verify_file(found.path, manifest=found.manifest)]
    except PermissionError as error:
        raise ValidationError(f"{error.filename} cannot be read: permission denied.") from error
    if trust is not None:
        findings = Findings()
        check_signature(findings, found.sidecar, keys=trust.keys, allow_unsigned=trust.allow_unsigned)
        outcomes.append(findings.verification())
    if found.job is not None:
        outcomes.append(_verify_row(found.job, found.manifest))
    return Verification(
        problems=tuple(problem for outcome in outcomes for problem in outcome.problems),
        checked=tuple(checked for outcome in outcomes for checked in outcome.checked),
    )


def verify_path(path: Path, *, trust: Trust | None = None) -> Verification:
    """Check a file against the manifest that lies beside it.

    Raises:
        ValidationError, NotFoundError: as :func:`beside`.
    """
    return verify(beside(path), trust=trust)


def verify_job(services: Services, id_or_prefix: str, *, trust: Trust | None = None) -> Verification:
    """Check a job's published file, its signature by the deployment's own keys, and what the job's row says of it.

    Raises:
        NotFoundError, ConflictError, ValidationError: as :func:`published`.
    """
    with published(services, id_or_prefix) as found:
        return verify(found, trust=trust or Trust(keys=known_keys(services.settings)))


def _verify_row(job: ExportJob, manifest: SidecarManifest) -> Verification:
    stated = {
        "job's id": (job.id, manifest.job.id),
        "SHA-256": (job.checksum, manifest.file.sha256),
        "size in bytes": (job.output_size_bytes, manifest.file.size),
        "number of records": (job.record_count, manifest.record_count),
    }
    differing = tuple(
        f"the job's row states {row} as the {what}, the manifest {sidecar_}"
        for what, (row, sidecar_) in stated.items()
        if row != sidecar_
    )
    return Verification(problems=differing, checked=("the job's row",))


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
