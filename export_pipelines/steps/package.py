"""Package: refuse what is not whole, lay the parts out as one file, and write the sidecar manifest."""

import platform
from collections.abc import Sequence
from importlib import metadata
from typing import cast

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.catalog.options import EXTENSIONS, MEDIA_TYPES
from export_pipelines.core.errors import FidelityError, IntegrityError
from export_pipelines.core.fidelity import PARTIAL_RUN, FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context, FrozenShards, Package, Part, Segment
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs, ledger
from export_pipelines.packaging import sidecar
from export_pipelines.packaging.digest import sha256_of
from export_pipelines.packaging.signing import sign
from export_pipelines.packaging.staging import OpenSegment
from export_pipelines.rendering.base import FlatFormat
from export_pipelines.steps import staging
from export_pipelines.steps.contexts import read_context
from export_pipelines.steps.layout import Laid, lay_out
from export_pipelines.steps.progress import PACKAGING, Progress
from export_pipelines.steps.services import Services
from export_pipelines.steps.signing import signing_key


def package(services: Services, type_: ExportType, frozen: FrozenShards, parts: Sequence[Part]) -> Package:
    """Describe the final file completely, without writing any byte of it again.

    Args:
        services: collaborators.
        type_: the export type.
        frozen: what was planned.
        parts: what was rendered, in any order. Dagster can lose mapped outputs when a run is executed again
            from failure, so the ledger has the last word on what is there.

    Raises:
        IntegrityError: planned and rendered differ.
        FidelityError: the request said ``strict`` and something could not be kept exactly.
        SupersededError: the job moved on meanwhile.
    """
    ref = frozen.job
    jobs.require_current(services.database, ref)
    whole = _all_parts(services, frozen, parts)
    context = read_context(services.store, frozen.context)
    notes = _merged(_head_notes(type_, context), whole)
    _refuse_when_strict(context, notes)
    if frozen.partial:
        # Asked for by allow_partial, so it is no reason for strict to fail.
        notes = (*notes, PARTIAL_RUN)
    with Progress(services, ref, PACKAGING) as progress:
        laid = lay_out(services.store, type_, ref, parts=whole, context=context, streamed=frozen.streamed)
        progress.bytes_total = laid.size
        digest = _digest(progress.counted(staging.opener(services.store)), frozen, laid)
    job = jobs.get(services.database, ref.job_id)
    facts = _file_facts(type_, context, laid, digest)
    manifest = _manifest(services, job, frozen, context, laid=laid, file=facts, notes=notes)
    signed = sign(sidecar.build(manifest), signing_key(services.settings))
    composition = staging.stage_record(services.store, staging.package_key(ref, "composition.json"), laid.segments)
    return Package(
        job=ref,
        file_name=facts.name,
        media_type=facts.media_type,
        composition=composition,
        size=laid.size,
        sha256=digest,
        manifest=staging.stage(services.store, staging.package_key(ref, "manifest.json"), signed),
        record_count=laid.records,
        fidelity=notes,
        partial=frozen.partial,
    )


def _digest(open_segment: OpenSegment, frozen: FrozenShards, laid: Laid) -> str:
    """The file's SHA-256: known already where the file was written in one go."""
    for streamed in frozen.streamed:
        if laid.segments == (Segment(key=streamed.key, offset=0, size=streamed.size),):
            return streamed.sha256
    return sha256_of(open_segment, segments=laid.segments)


def _all_parts(services: Services, frozen: FrozenShards, given: Sequence[Part]) -> tuple[Part, ...]:
    """Every planned shard's part, as the ledger has it.

    Raises:
        IntegrityError: a shard is missing or differs; every such shard is named.
    """
    rendered = {entry.index: entry.part for entry in ledger.entries(services.database, frozen.job)}
    handed = {part.shard_index: part for part in given}
    problems, parts = [], []
    for shard in frozen.shards:
        part = rendered.get(shard.index)
        if part is None:
            problems.append(f"shard {shard.index} was planned but never rendered")
        elif handed.get(shard.index, part).body.sha256 != part.body.sha256:
            problems.append(f"shard {shard.index} was rendered twice with different bytes")
        elif part.rows != shard.rows:
            problems.append(f"shard {shard.index} has {shard.rows} rows, but {part.rows} were rendered")
        else:
            parts.append(part)
    rows = sum(part.rows for part in parts)
    if not problems and rows != frozen.counted_rows:
        problems.append(f"{frozen.counted_rows} rows were counted, but {rows} were rendered")
    if problems:
        raise IntegrityError(
            f"job {frozen.job.job_id} is not whole: {'; '.join(problems[:5])}. Nothing was published; "
            f"`export-pipelines jobs retry {frozen.job.job_id}` renders what is missing.",
            problems=problems,
        )
    return tuple(parts)


def _head_notes(type_: ExportType, context: Context) -> tuple[FidelityNote, ...]:
    return () if type_.is_archive else cast("FlatFormat", type_.format).head_notes(context)


def _merged(head: Sequence[FidelityNote], parts: Sequence[Part]) -> tuple[FidelityNote, ...]:
    report = FidelityReport(head)
    for part in parts:
        for note in part.fidelity:
            report.add(note)
    return report.notes()


def _refuse_when_strict(context: Context, notes: Sequence[FidelityNote]) -> None:
    if context["options"].get("strict") and notes:
        shown = "; ".join(f"{note.where}: {note.detail}" for note in notes[:5])
        more = f" (and {len(notes) - 5} more)" if len(notes) > 5 else ""
        raise FidelityError(f"strict was asked for, but the file cannot keep everything exactly: {shown}{more}")


def _file_facts(type_: ExportType, context: Context, laid: Laid, digest: str) -> sidecar.FileFacts:
    codec = str(context["options"].get("compression", "none"))
    return sidecar.FileFacts(
        name=type_.stem(context) + type_.extension + EXTENSIONS[codec],
        size=laid.size,
        sha256=digest,
        media_type=MEDIA_TYPES.get(codec, type_.media_type),
        format=type_.file_format,
        codec=codec,
    )


def _manifest(
    services: Services,
    job: ExportJob,
    frozen: FrozenShards,
    context: Context,
    *,
    laid: Laid,
    file: sidecar.FileFacts,
    notes: tuple[FidelityNote, ...],
) -> sidecar.SidecarManifest:
    request = jobs.request_of(job)
    return sidecar.SidecarManifest(
        job=sidecar.JobFacts(
            id=job.id, attempt=frozen.job.attempt, type=job.type, title=job.title, user_id=job.user_id
        ),
        subject={"id": request.subject_id, **({"name": context["run"]["name"]} if "run" in context else {})},
        options=context["options"],
        snapshot=frozen.snapshot,
        versions={"export_pipelines": metadata.version("export-pipelines"), "python": platform.python_version()},
        created_at=services.clock(),
        file=file,
        record_count=laid.records,
        counted_rows=frozen.counted_rows,
        partial=frozen.partial,
        shards=laid.shards,
        fidelity=notes,
        members=laid.members,
        member_list=laid.member_list,
    )
