"""Which export types a visitor may use; the API's rule, shown as a choice."""

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.web.page.visits import Visit
from export_pipelines.web.problems import Problem, ProblemError

_HEADINGS = {
    Subject.RUN: "Of a run",
    Subject.DEFINITION: "Of a definition",
    Subject.DAY: "Of a day",
    Subject.AUDIT_LOG: "For administrators",
}


def offered(visit: Visit) -> tuple[ExportType, ...]:
    """What the visitor may export."""
    return tuple(type_ for type_ in EXPORT_TYPES if _may(visit, type_))


def groups(visit: Visit) -> list[tuple[str, list[ExportType]]]:
    """The same under headings."""
    found: dict[str, list[ExportType]] = {}
    for subject, heading in _HEADINGS.items():
        types = [type_ for type_ in offered(visit) if type_.subject is subject]
        if types:
            found[heading] = types
    return list(found.items())


def offered_type(visit: Visit, name: str) -> ExportType:
    """The type of this name.

    Raises:
        ProblemError: 404, there is none for this visitor.
    """
    for type_ in offered(visit):
        if type_.name == name:
            return type_
    detail = "There is no such type of export for you. “New export” shows all that you can choose from."
    raise ProblemError(Problem(status=404, code="not-found", title="There is no such export type", detail=detail))


def _may(visit: Visit, type_: ExportType) -> bool:
    return type_.subject is not Subject.AUDIT_LOG or visit.caller.is_administrator
