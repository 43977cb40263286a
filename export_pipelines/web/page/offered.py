"""What a visitor may export, under headings."""

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.steps.offers import offers
from export_pipelines.web.page.visits import Visit
from export_pipelines.web.problems import Problem, ProblemError

_HEADINGS = {
    Subject.RUN: "Of a run",
    Subject.DEFINITION: "Of a definition",
    Subject.DAY: "Of a day",
    Subject.AUDIT_LOG: "For administrators",
}


def offered(visit: Visit) -> tuple[ExportType, ...]:
    """The types that this visitor may use."""
    return tuple(offer.type for offer in offers(visit.caller) if offer.allowed)


def groups(visit: Visit) -> list[tuple[str, list[ExportType]]]:
    """The same under headings."""
    found = {
        heading: [type_ for type_ in offered(visit) if type_.subject is subject]
        for subject, heading in _HEADINGS.items()
    }
    return [(heading, types) for heading, types in found.items() if types]


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
