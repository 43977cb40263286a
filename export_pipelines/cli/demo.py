"""``export-pipelines demo``: from nothing to an export of every type on example data."""

from export_pipelines.catalog.export_type import Subject
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.cli import console, session
from export_pipelines.cli.exports import carry_out
from export_pipelines.core.errors import WorkError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import migrate
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DAY, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID, seed
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import COMMAND_LINE, Order, submit


def demo() -> None:
    """Start the database, fill it with example data, make an export of every type, and print where they are."""
    console.notes.print("database ...")
    with session.services() as services:
        migrate.upgrade(services.database)
        created = seed(services.database).created
        console.notes.print(f"example data: {created} rows created" if created else "example data: there already")
        done = [_export(services, type_.name, type_.subject) for type_ in EXPORT_TYPES]
        _print(services, done)
    unfinished = [job.type for job in done if job.status is not JobStatus.COMPLETED]
    if unfinished:
        raise WorkError(f"{', '.join(unfinished)} did not complete; the table says why.")


def _export(services: Services, type_name: str, subject: Subject) -> ExportJob:
    console.notes.print(f"exporting {type_name} ...")
    order = Order(
        type=type_name,
        user=DEMO_USER_EMAIL,
        run_id=SHOWCASE_RUN_ID if subject is Subject.RUN else None,
        definition_id=SHOWCASE_DEFINITION_ID if subject is Subject.DEFINITION else None,
        day=SHOWCASE_DAY if subject is Subject.DAY else None,
    )
    return carry_out(services, lambda: submit(services, order, claimed_by=COMMAND_LINE))


def _print(services: Services, done: list[ExportJob]) -> None:
    rows = [
        (
            job.type,
            job.status,
            job.record_count,
            console.bytes_shown(job.output_size_bytes),
            job.output_url or job.error,
        )
        for job in done
    ]
    console.print_table(("TYPE", "STATUS", "RECORDS", "SIZE", "LINK"), rows, empty="")
    console.out.print(f"\nFiles and their manifests: {services.store.url('exports')}", markup=False)
    console.out.print("The links open while `make dev` (which also shows these runs) or `export-pipelines serve` runs.")
