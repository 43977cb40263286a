"""Admit: let jobs that plain SQL inserted into the queue, or refuse them with the reason."""

from collections.abc import Mapping
from typing import Any

from export_pipelines.catalog.types import export_type
from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import RequestError, ValidationError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.quoting import cut, quoted
from export_pipelines.db import jobs
from export_pipelines.db.jobs import input_of
from export_pipelines.steps import stated
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, check

MOST_AT_ONCE = 200
"""A second or two of looking; what is left is looked at in the next tick."""

_SUBJECTS = ("run_id", "definition_id", "day", "positions")
_FIELDS = ("subject_id", *_SUBJECTS, "expiry_hours", "options", "delivery")


def admit(services: Services, *, limit: int = MOST_AT_ONCE) -> tuple[str, ...]:
    """Check PENDING rows that nobody has checked, as an order is checked; those that are wrong become FAILED.

    Returns:
        The ids of those that were refused.
    """
    found = jobs.unadmitted(services.database, limit=limit)
    return tuple(job.id for job in found if not _admitted(services, job))


def require_admitted(services: Services, job: ExportJob) -> ExportJob:
    """Check a PENDING job that somebody begins by hand before the queue has looked at it.

    Returns:
        The job with its input as it is when it was checked.

    Raises:
        ValidationError: it asks for something that cannot be exported, and is FAILED now.
    """
    if job.admitted_at is not None:
        return job
    is_right = _admitted(services, job)
    looked_at = jobs.get(services.database, job.id)
    if not is_right:
        raise ValidationError(f"job {job.id} is {looked_at.status}: {looked_at.error}")
    return looked_at


def _admitted(services: Services, job: ExportJob) -> bool:
    now = services.clock()
    try:
        request = check(services, order_of(job))
    except RequestError as error:
        reason = f"the row asks for something that cannot be exported: {error}"
        jobs.fail(services.database, job_id=job.id, attempt=None, error=reason, now=now)
        return False
    jobs.admit(services.database, job, values={"input": input_of(request), "title": request.title}, now=now)
    return True


def order_of(job: ExportJob) -> Order:
    """The row as the order that a person would have typed; what it leaves out has the usual default.

    Raises:
        ValidationError: its id or its input are not of the right shape.
    """
    if not looks_like_id(job.id):
        raise ValidationError(f"id {quoted(job.id)} cannot be a job's; leave it out and one is made.")
    unknown = sorted(set(job.input) - set(_FIELDS))
    if unknown:
        raise ValidationError(f"input has {quoted(unknown[0])}, but takes {', '.join(_FIELDS)}.")
    subject = stated.text(job.input, "subject_id")
    own = {field: stated.text(job.input, field) for field in _SUBJECTS}
    if subject is not None:
        own[export_type(job.type).subject_field] = subject
    return Order(
        type=job.type,
        user=job.user_id,
        expiry_hours=stated.hours(job.input),
        options=stated.object_(job.input, "options"),
        title=job.title,
        delivery=_delivery(job.input),
        **own,
    )


def _delivery(given: Mapping[str, Any]) -> DeliveryRequest | None:
    wanted = stated.object_(given, "delivery")
    if not wanted:
        return None
    recipients = wanted.get("recipients")
    if not isinstance(recipients, list) or not all(isinstance(each, str) for each in recipients):
        raise ValidationError("delivery needs recipients, a list of texts.")
    switches = {name: value for name, value in wanted.items() if name != "recipients"}
    for name, value in switches.items():
        if name not in ("include_download_link", "attach_file") or not isinstance(value, bool):
            raise ValidationError(
                f"delivery has {cut(name)}: {quoted(value)}; it takes include_download_link and attach_file."
            )
    return DeliveryRequest(recipients=tuple(recipients), **switches)
