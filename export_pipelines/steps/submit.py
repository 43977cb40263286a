"""Submit: check a request as far as it can be checked before work starts, and make its row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.catalog.options import read_options
from export_pipelines.catalog.types import export_type
from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.core.jobs import ExportJob, ExportRequest
from export_pipelines.db import jobs
from export_pipelines.db.evaluation import lookup, scenarios
from export_pipelines.steps.services import Services
from export_pipelines.steps.signing import signing_key
from export_pipelines.storage.secret import link_secret

HOURS = range(1, 169)
TITLE_LENGTH = 200
COMMAND_LINE = "command line"
"""Who claims a job that is carried out in the process that makes it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A request as a person typed it.

    Attributes:
        user: e-mail address or id.
        run_id, definition_id: id, unique prefix or unique name.
        delivery: who is told when the export has ended.
    """

    type: str
    user: str
    run_id: str | None = None
    definition_id: str | None = None
    expiry_hours: int = 24
    options: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    delivery: DeliveryRequest | None = None


def submit(
    services: Services, order: Order, *, dagster_run_id: str | None = None, claimed_by: str | None = None
) -> ExportJob:
    """Validate the order and create its PENDING job.

    It waits in the queue, unless a run has it already: ``dagster_run_id``, or one that ``claimed_by`` will make.

    Raises:
        ValidationError, NotFoundError: the order is wrong; nothing was created.
        StoreUnavailableError, DatabaseUnavailableError: the world is away; nothing was created.
    """
    request = check(services, order)
    # What the last step would only find when all the work is done.
    link_secret(services.settings)
    signing_key(services.settings)
    services.store.check_writable()
    return jobs.create(
        services.database, request, dagster_run_id=dagster_run_id, claimed_by=claimed_by, now=services.clock()
    )


def check(services: Services, order: Order) -> ExportRequest:
    """The order as a request that can be carried out.

    Raises:
        ValidationError, NotFoundError: the order is wrong.
    """
    type_ = export_type(order.type)
    if order.expiry_hours not in HOURS:
        raise ValidationError(f"expiry is {order.expiry_hours} hours, but must be {HOURS.start} to {HOURS.stop - 1}.")
    options = read_options(type_.options, order.options)
    subject_id, name = _subject(services, type_, order, options)
    return ExportRequest(
        type=type_.name,
        subject_id=subject_id,
        user_id=lookup.find_user(services.database, order.user).id,
        expiry_hours=order.expiry_hours,
        options=options,
        title=(order.title or f"{type_.title}: {name}")[:TITLE_LENGTH],
        delivery=order.delivery,
    )


def _subject(services: Services, type_: ExportType, order: Order, options: Mapping[str, Any]) -> tuple[str, str]:
    """Id and name of what is exported."""
    wanted = {Subject.RUN: order.run_id, Subject.DEFINITION: order.definition_id}
    text = wanted.pop(type_.subject)
    flag = type_.subject_field.replace("_", "-")
    if not text:
        raise ValidationError(f"{type_.name} exports a {type_.subject}; give its id with --{flag}.")
    if any(wanted.values()):
        raise ValidationError(f"{type_.name} exports a {type_.subject}; give --{flag} and nothing else.")
    if type_.subject is Subject.RUN:
        return _run(services, text, allow_partial=bool(options["allow_partial"]))
    definition = lookup.find_definition(services.database, text)
    if type_.noun == "scenarios" and not scenarios.count_for_definition(services.database, definition.id):
        raise ValidationError(f"definition {definition.name!r} has no scenarios yet; generate them first.")
    return definition.id, definition.name


def _run(services: Services, text: str, *, allow_partial: bool) -> tuple[str, str]:
    run = lookup.find_run(services.database, text)
    if run.status is not RunStatus.COMPLETED and not allow_partial:
        raise ValidationError(
            f"run {run.id} is {run.status} and not COMPLETED; wait for it, or set allow_partial=true to export what "
            "is there so far."
        )
    return run.id, run.name or run.id
