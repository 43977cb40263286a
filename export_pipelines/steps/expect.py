"""Expect: what an order would give, before anything is made of it: how much, and how the file begins."""

from dataclasses import dataclass

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.core.jobs import ExportRequest
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.estimate import Estimate, estimate
from export_pipelines.steps.offers import require_offered
from export_pipelines.steps.sample import Sample, sample
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, check


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an order would give.

    Attributes:
        request: the order with names replaced by ids, and defaults filled in.
        sample: None when the first rows did not come in time; the export may well succeed.
    """

    type: ExportType
    request: ExportRequest
    estimate: Estimate
    sample: Sample | None


def expect(services: Services, caller: Caller, order: Order) -> Expected:
    """Check the order as ``create`` would, estimate it and render its first rows; nothing is made, kept or counted.

    Raises:
        ValidationError, NotFoundError, ForbiddenError: the order is wrong, or not for this caller.
        ContentError: a content cannot be read; the export would fail of it.
        DatabaseUnavailableError: the database is away.
    """
    type_ = require_offered(caller, order.type)
    request = check(services, order)
    size = estimate(services, type_, request.subject_id)
    return Expected(type=type_, request=request, estimate=size, sample=sample(services, type_, request))
