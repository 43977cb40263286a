"""What the run page and the asset catalog show of each step."""

import os
import socket
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.frozen import FrozenShards, Package, Part, StoredFile
from export_pipelines.core.jobs import ExportJob
from export_pipelines.orchestration.days import partition_of


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def seconds(self) -> float:
        """Seconds so far, to the millisecond."""
        return round(time.perf_counter() - self._began, 3)


def of_frozen(frozen: FrozenShards, *, seconds: float) -> Mapping[str, Any]:
    """Metadata of the load op."""
    return {
        "job_id": frozen.job.job_id,
        "attempt": frozen.job.attempt,
        "rows": sum(shard.rows for shard in frozen.shards),
        "shards": len(frozen.shards),
        "bytes": sum(shard.copy_bytes for shard in frozen.shards),
        "bytes_staged": sum(staged.size for staged in frozen.staged()),
        "seconds": seconds,
        "snapshot": frozen.snapshot.id,
        "snapshot_taken_at": dg.MetadataValue.timestamp(frozen.snapshot.taken_at),
        "partial": frozen.partial,
    }


def of_part(part: Part, *, seconds: float) -> Mapping[str, Any]:
    """Metadata of a render op."""
    return {
        "rows": part.rows,
        "records": part.records,
        "bytes": part.body.size,
        "seconds": seconds,
        "checksum": part.body.sha256,
        "fidelity_notes": len(part.fidelity),
        "worker": f"{socket.gethostname()}:{os.getpid()}",
    }


def of_package(package: Package, *, preview: str, seconds: float) -> Mapping[str, Any]:
    """Metadata of the package op."""
    return {
        "file_name": package.file_name,
        "rows": package.record_count,
        "bytes": package.size,
        "seconds": seconds,
        "checksum": package.sha256,
        "fidelity": dg.MetadataValue.json([note.as_json() for note in package.fidelity]),
        "preview": dg.MetadataValue.md(preview),
    }


def of_stored(stored: StoredFile, *, seconds: float) -> Mapping[str, Any]:
    """Metadata of the upload op."""
    return {
        "key": stored.key,
        "address": stored.url,
        "bytes": stored.size,
        "seconds": seconds,
        "checksum": stored.sha256,
    }


def of_job(job: ExportJob) -> Mapping[str, Any]:
    """Metadata of the record op."""
    took = (job.completed_at - job.started_at).total_seconds() if job.completed_at and job.started_at else 0.0
    return {
        "link": dg.MetadataValue.url(job.output_url or ""),
        "expires_at": dg.MetadataValue.timestamp(job.expires_at) if job.expires_at else None,
        "rows": job.record_count,
        "bytes": job.output_size_bytes,
        "seconds": round(took, 3),
        "checksum": job.checksum or "",
        "job_id": job.id,
    }


def materialization(type_: ExportType, job: ExportJob) -> dg.AssetMaterialization:
    """The export as an event of its asset, so that the catalog plots rows, bytes and seconds over time."""
    return dg.AssetMaterialization(
        asset_key=asset_key(type_),
        partition=partition_of(type_, job),
        description=job.title,
        metadata={**of_job(job), "dagster/row_count": job.record_count},
        tags={"export/job_id": job.id, "export/user_id": job.user_id},
    )


def asset_key(type_: ExportType) -> dg.AssetKey:
    """``exports/<type in lower case>``."""
    return dg.AssetKey(["exports", type_.name.lower()])
