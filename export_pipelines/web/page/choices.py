"""Runs and definitions to choose from: the search behind the form, with and without a script."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from export_pipelines.catalog.export_type import Subject
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.search import Match, search_definitions, search_runs
from export_pipelines.web.page import shown
from export_pipelines.web.page.visits import VisitOf
from export_pipelines.web.problems import Problem, ProblemError

SHOWN = 20
_LONGEST_TEXT = 200

routes = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One line of the list."""

    id: str
    name: str
    facts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What fits, and whether there is more of it than is shown."""

    found: tuple[Choice, ...]
    more: bool


@routes.get("/choices/{subject}")
def as_typed(visit: VisitOf, subject: str, q: str = "", chosen: str = "") -> Response:
    """The list for a script, as somebody types."""
    if subject not in (Subject.RUN, Subject.DEFINITION):
        detail = "Runs and definitions can be searched for."
        raise ProblemError(Problem(status=404, code="not-found", title="There is no such list", detail=detail))
    found = find(visit.services.database, Subject(subject), q, chosen=chosen)
    given = {"q": q, "subject": chosen}
    return visit.fragment("_choices.html", choices=found.found, more_choices=found.more, given=given)


def find(database: Database, subject: Subject, text: str, *, chosen: str = "") -> Choices:
    """What fits the text; what is chosen already stays in the list, so that searching on does not lose it."""
    search = search_runs if subject is Subject.RUN else search_definitions
    matches: Sequence[Match] = search(database, text[:_LONGEST_TEXT], limit=SHOWN + 1)
    listed = list(matches[:SHOWN])
    if chosen and all(match.id != chosen for match in listed):
        kept = [match for match in search(database, chosen[:_LONGEST_TEXT], limit=1) if match.id == chosen]
        listed = [*kept, *listed]
    return Choices(found=tuple(_choice(match) for match in listed), more=len(matches) > SHOWN)


def _choice(match: Match) -> Choice:
    facts = [match.definition or "", shown.written(match.at)]
    if match.status is not None and match.status is not RunStatus.COMPLETED:
        facts.append(f"{match.status.lower()}: needs “Allow partial”")
    return Choice(id=match.id, name=match.name, facts=tuple(filter(None, facts)))
