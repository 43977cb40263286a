"""Offers: which export types a caller may use."""

from dataclasses import dataclass

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.catalog.types import EXPORT_TYPES, export_type
from export_pipelines.core.errors import ForbiddenError
from export_pipelines.steps.callers import Caller


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An export type, and whether the caller may export it."""

    type: ExportType
    allowed: bool


def offers(caller: Caller) -> tuple[Offer, ...]:
    """Every type of the catalog, in its order."""
    return tuple(Offer(type=type_, allowed=_is_allowed(caller, type_)) for type_ in EXPORT_TYPES)


def require_offered(caller: Caller, type_name: str) -> ExportType:
    """The type of that name, in any case.

    Raises:
        ValidationError: there is none.
        ForbiddenError: the caller may not export it.
    """
    type_ = export_type(type_name)
    if not _is_allowed(caller, type_):
        raise ForbiddenError(f"{type_.name} is for administrators; `export-pipelines users appoint` makes one.")
    return type_


def _is_allowed(caller: Caller, type_: ExportType) -> bool:
    """The audit log tells of everybody."""
    return type_.subject is not Subject.AUDIT_LOG or caller.is_administrator
