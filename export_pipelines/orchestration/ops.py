"""The five ops of an export: read config, call one step, say what happened, return."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple, TypeVar

import dagster as dg

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.frozen import FrozenShards, Package, Part, ShardTask, StoredFile
from export_pipelines.core.jobs import JobRef
from export_pipelines.db import jobs, leases
from export_pipelines.db.database import Database
from export_pipelines.launching.requests import JOB_TAG, RUN_KEY_TAG, USER_TAG
from export_pipelines.orchestration import metadata
from export_pipelines.orchestration.config import ExportConfig, config_class, order_of
from export_pipelines.orchestration.days import filled_in
from export_pipelines.orchestration.ending import canceled_with_its_job, hand_on
from export_pipelines.orchestration.executors import in_one_process
from export_pipelines.orchestration.failures import failing_its_job
from export_pipelines.orchestration.progress import teller
from export_pipelines.orchestration.resources import services_of
from export_pipelines.steps.begin import begin, take_up
from export_pipelines.steps.export import SECONDS_TO_LET_GO
from export_pipelines.steps.load import load
from export_pipelines.steps.missing import render_missing
from export_pipelines.steps.package import package
from export_pipelines.steps.preview import preview
from export_pipelines.steps.record import record
from export_pipelines.steps.render import render
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.upload import upload
from export_pipelines.storage.store import ObjectStore

Made = TypeVar("Made")
Boundary = Callable[[dg.OpExecutionContext, Database], AbstractContextManager[None]]
"""The whole of an op's body, in which our errors become Dagster's, and fail the job where nobody tries again."""

SECONDS_TO_BEGIN = 30
"""How long a step waits while somebody who takes the job up finds that its rows are frozen already."""


class ExportOps(NamedTuple):
    """One export type's ops, in order."""

    load: dg.OpDefinition
    render: dg.OpDefinition
    package: dg.OpDefinition
    upload: dg.OpDefinition
    record: dg.OpDefinition


def build_ops(type_: ExportType, *, retry_delay_seconds: float) -> ExportOps:
    """The ops of one export type, each under a name of its own: Dagster allows no two definitions of one name."""
    boundary = partial(_boundary, delay_seconds=retry_delay_seconds)
    return ExportOps(
        load=_load_op(type_, boundary),
        render=_render_op(type_, boundary),
        package=_package_op(type_, boundary),
        upload=_upload_op(type_, boundary),
        record=_record_op(type_, boundary),
    )


def _load_op(type_: ExportType, boundary: Boundary) -> dg.OpDefinition:
    form = config_class(type_)

    @dg.op(
        name=_name("load", type_),
        description=f"Freeze the {type_.noun} of one {type_.subject}, from one snapshot, into shards.",
        out={"shards": dg.DynamicOut(ShardTask), "frozen": dg.Out(FrozenShards)},
        tags={"kind": "postgres"},
    )
    def load_op(
        context: dg.OpExecutionContext,
        config: form,  # type: ignore[valid-type]
        database: dg.ResourceParam[Database],
        store: dg.ResourceParam[ObjectStore],
    ) -> Iterator[Any]:
        watch = metadata.Stopwatch()
        with boundary(context, database):
            services = services_of(database, store, tell=teller(context))
            job_id = _job_id(context, services, type_, config)
            with (
                canceled_with_its_job(context, database, job_id),
                leases.hold(database, job_id, exclusive=True, wait_seconds=SECONDS_TO_LET_GO),
            ):
                job = begin(services, job_id, dagster_run_id=context.run.run_id, run_key=_run_key(context))
                _tag(context, job.id, job.user_id)
                frozen = load(services, type_, job, alone=in_one_process(context.run.run_config))
            context.log.info("froze %d rows in %d shards for job %s", frozen.counted_rows, len(frozen.shards), job.id)
            for task in frozen.tasks():
                yield dg.DynamicOutput(task, mapping_key=f"shard_{task.shard.index:05d}", output_name="shards")
            yield dg.Output(frozen, "frozen", metadata=metadata.of_frozen(frozen, seconds=watch.seconds()))

    return load_op


def _job_id(context: dg.OpExecutionContext, services: Services, type_: ExportType, config: ExportConfig) -> str:
    """The job named in the form, the one an earlier try of this run made, or a new one."""
    if config.job_id:
        return config.job_id
    runs = {context.run.run_id, context.run.parent_run_id, context.run.root_run_id}
    earlier = jobs.find_by_dagster_runs(services.database, sorted(filter(None, runs)))
    if earlier:
        return earlier[0].id
    order = filled_in(context, services, order_of(type_, config))
    return submit(services, order, dagster_run_id=context.run.run_id).id


def _run_key(context: dg.OpExecutionContext) -> str | None:
    """What the queue launched the run as; a run that executes another again has its tags, but was launched by hand."""
    return None if context.run.parent_run_id else context.run.tags.get(RUN_KEY_TAG)


def _tag(context: dg.OpExecutionContext, job_id: str, user_id: str) -> None:
    """Let an engineer filter runs by job and user; what the queue launches has the tags from the beginning."""
    tags = {JOB_TAG: job_id, USER_TAG: user_id}
    if not tags.items() <= context.run.tags.items():
        context.instance.add_run_tags(context.run.run_id, tags)


def _render_op(type_: ExportType, boundary: Boundary) -> dg.OpDefinition:
    @dg.op(
        name=_name("render", type_),
        description=f"Turn one shard of frozen {type_.noun} into a part of the file; needs no source table.",
        out=dg.Out(Part),
    )
    def render_op(
        context: dg.OpExecutionContext,
        task: ShardTask,
        database: dg.ResourceParam[Database],
        store: dg.ResourceParam[ObjectStore],
    ) -> Part:
        watch = metadata.Stopwatch()
        with boundary(context, database):
            part = _fenced(context, database, store, task.job, lambda services: render(services, type_, task))
            context.add_output_metadata(metadata.of_part(part, seconds=watch.seconds()))
        return part

    return render_op


def _package_op(type_: ExportType, boundary: Boundary) -> dg.OpDefinition:
    @dg.op(
        name=_name("package", type_),
        description="Check that nothing is missing, add what only the whole knows, write the sidecar manifest.",
        out=dg.Out(Package),
    )
    def package_op(
        context: dg.OpExecutionContext,
        frozen: FrozenShards,
        parts: list[Part],
        database: dg.ResourceParam[Database],
        store: dg.ResourceParam[ObjectStore],
    ) -> Package:
        watch = metadata.Stopwatch()

        def work(services: Services) -> tuple[Package, str]:
            made = package(services, type_, frozen, render_missing(services, type_, frozen, parts))
            return made, preview(services.store, type_, made)

        with boundary(context, database):
            made, shown = _fenced(context, database, store, frozen.job, work)
            context.add_output_metadata(metadata.of_package(made, preview=shown, seconds=watch.seconds()))
        return made

    return package_op


def _upload_op(type_: ExportType, boundary: Boundary) -> dg.OpDefinition:
    @dg.op(
        name=_name("upload", type_),
        description="Publish the file and its manifest under the final key, all at once.",
        out=dg.Out(StoredFile),
    )
    def upload_op(
        context: dg.OpExecutionContext,
        packaged: Package,
        database: dg.ResourceParam[Database],
        store: dg.ResourceParam[ObjectStore],
    ) -> StoredFile:
        watch = metadata.Stopwatch()
        with boundary(context, database):
            stored = _fenced(context, database, store, packaged.job, lambda services: upload(services, packaged))
            context.add_output_metadata(metadata.of_stored(stored, seconds=watch.seconds()))
        return stored

    return upload_op


def _record_op(type_: ExportType, boundary: Boundary) -> dg.OpDefinition:
    @dg.op(
        name=_name("record", type_),
        description="Set the export job COMPLETED with link, size, counts, checksum and expiry.",
        out=dg.Out(dg.Nothing),
    )
    def record_op(
        context: dg.OpExecutionContext,
        stored: StoredFile,
        database: dg.ResourceParam[Database],
        store: dg.ResourceParam[ObjectStore],
    ) -> None:
        with boundary(context, database):
            services = services_of(database, store)
            with canceled_with_its_job(context, database, stored.job.job_id):
                job = record(services, stored)
            context.add_output_metadata(metadata.of_job(job))
            context.log_event(metadata.materialization(type_, job))
            hand_on(context, services)

    return record_op


def _boundary(
    context: dg.OpExecutionContext, database: Database, *, delay_seconds: float
) -> AbstractContextManager[None]:
    return failing_its_job(context.run, database, tries=context.retry_number, delay_seconds=delay_seconds)


def _name(verb: str, type_: ExportType) -> str:
    return f"{verb}_{type_.name.lower()}"


def _fenced(
    context: dg.OpExecutionContext,
    database: Database,
    store: ObjectStore,
    ref: JobRef,
    work: Callable[[Services], Made],
) -> Made:
    """Do a step's work while the job is ours: attempt current, lease held."""
    with (
        canceled_with_its_job(context, database, ref.job_id),
        leases.hold(database, ref.job_id, wait_seconds=SECONDS_TO_BEGIN),
    ):
        services = services_of(database, store, tell=teller(context))
        take_up(services, ref, dagster_run_id=context.run.run_id)
        return work(services)
