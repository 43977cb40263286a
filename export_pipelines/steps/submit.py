"""Submit: check a request as far as it can be checked before work starts, and make its row."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.catalog.options import read_options
from export_pipelines.catalog.types import export_type
from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import UnfinishedRunError, ValidationError
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.core.jobs import ExportJob, ExportRequest
from export_pipelines.core.positions import read_positions
from export_pipelines.db import audit_chain, jobs
from export_pipelines.db.evaluation import lookup, scenarios
from export_pipelines.steps.services import Services
from export_pipelines.steps.signing import signing_key
from export_pipelines.steps.subjects import find_run, read_day
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
        run_id, definition_id: id, unique prefix or unique name; ``@latest`` is the run that was completed last.
        day: like ``2026-03-01``, UTC; ``@yesterday`` is the last one that is over.
        positions: of the audit log, like ``1-2000``; all of them when empty.
        delivery: who is told when the export has ended.
    """

    type: str
    user: str
    run_id: str | None = None
    definition_id: str | None = None
    day: str | None = None
    positions: str | None = None
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
    require_ready(services)
    return jobs.create(
        services.database, request, dagster_run_id=dagster_run_id, claimed_by=claimed_by, now=services.clock()
    )


def require_ready(services: Services) -> None:
    """Look for what the last step would only find when all the work is done.

    Raises:
        ValidationError: a key cannot be used.
        StoreUnavailableError: nothing can be stored.
    """
    link_secret(services.settings)
    signing_key(services.settings)
    services.store.check_writable()


def check(services: Services, order: Order) -> ExportRequest:
    """The order as a request that can be carried out.

    Raises:
        ValidationError, NotFoundError: the order is wrong.
    """
    type_ = export_type(order.type)
    request = check_terms(services, order)
    subject_id, name = _subject(services, type_, order, request.options)
    return replace(request, subject_id=subject_id, title=title_of(type_, name, order.title))


def check_terms(services: Services, order: Order) -> ExportRequest:
    """All of the order but what it is of, for orders that stand until there is something: no subject, no title yet.

    Raises:
        ValidationError, NotFoundError: the order is wrong.
    """
    type_ = export_type(order.type)
    if order.expiry_hours not in HOURS:
        raise ValidationError(f"expiry is {order.expiry_hours} hours, but must be {HOURS.start} to {HOURS.stop - 1}.")
    options = read_options(type_.options, order.options)
    user_id = lookup.find_user(services.database, order.user).id
    delivery = None
    if order.delivery:
        # Most exports are told to nobody, and what reads addresses takes as long to import as a step of theirs.
        from export_pipelines.steps.recipients import check_delivery  # noqa: PLC0415

        delivery = check_delivery(services.database, order.delivery, user_id=user_id)
    return ExportRequest(
        type=type_.name,
        subject_id="",
        user_id=user_id,
        expiry_hours=order.expiry_hours,
        options=options,
        delivery=delivery,
    )


def title_of(type_: ExportType, name: str, given: str = "") -> str:
    """What lists call an export of the thing of this name."""
    return (given or f"{type_.title}: {name}")[:TITLE_LENGTH]


def _subject(services: Services, type_: ExportType, order: Order, options: Mapping[str, Any]) -> tuple[str, str]:
    """Id and name of what is exported."""
    wanted = {
        Subject.RUN: order.run_id,
        Subject.DEFINITION: order.definition_id,
        Subject.DAY: order.day,
        Subject.AUDIT_LOG: order.positions,
    }
    text = wanted.pop(type_.subject)
    flag = f"--{type_.subject_field.replace('_', '-')}"
    inside = f"(in a request, {type_.request_field}; in a row, {type_.subject_field})"
    if any(wanted.values()):
        raise ValidationError(f"{type_.name} is not of what was given; give {flag} and nothing else {inside}.")
    if type_.subject is Subject.AUDIT_LOG:
        return _positions(services, text or "")
    if not text:
        what = "it" if type_.subject is Subject.DAY else "its id"
        raise ValidationError(f"{type_.name} exports a {type_.subject}; give {what} with {flag} {inside}.")
    if type_.subject is Subject.RUN:
        return _run(services, text, allow_partial=bool(options["allow_partial"]))
    if type_.subject is Subject.DAY:
        day = read_day(text, now=services.clock()).isoformat()
        return day, day
    definition = lookup.find_definition(services.database, text)
    if type_.noun == "scenarios" and not scenarios.count_for_definition(services.database, definition.id):
        raise ValidationError(f"definition {definition.name!r} has no scenarios yet; generate them first.")
    return definition.id, definition.name


def _positions(services: Services, text: str) -> tuple[str, str]:
    """Both ends written out: the log grows, by this very export too, and a file that is made again must be the same."""
    first, last = read_positions(text, end=audit_chain.position(services.database))
    return f"{first}-{last}", f"rows {first} to {last}"


def _run(services: Services, text: str, *, allow_partial: bool) -> tuple[str, str]:
    run = find_run(services, text)
    if run.status is not RunStatus.COMPLETED and not allow_partial:
        raise UnfinishedRunError(
            f"run {run.id} is {run.status} and not COMPLETED; wait for it, or set allow_partial=true to export what "
            "is there so far."
        )
    return run.id, run.name or run.id
