"""Runs and definitions to choose from: the search behind the form, with and without a script."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from export_pipelines.catalog.export_type import Subject
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.search import COUNTED_TO, FoundDefinition, FoundRun, search_definitions, search_runs
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
    matches = _search(database, subject, text, limit=SHOWN + 1)
    listed = matches[:SHOWN]
    if chosen and all(choice.id != chosen for choice in listed):
        listed = [choice for choice in _search(database, subject, chosen, limit=1) if choice.id == chosen] + listed
    return Choices(found=tuple(listed), more=len(matches) > SHOWN)


def _search(database: Database, subject: Subject, text: str, *, limit: int) -> list[Choice]:
    # PostgreSQL's text has neither of these, so no name or id has.
    wanted = text.strip().replace("\x00", "").encode("utf-8", "ignore").decode()[:_LONGEST_TEXT]
    if subject is Subject.RUN:
        return [_run(found) for found in search_runs(database, wanted, after=None, limit=limit)]
    return [_definition(found) for found in search_definitions(database, wanted, after=None, limit=limit)]


def _run(found: FoundRun) -> Choice:
    finished = found.status is RunStatus.COMPLETED
    state = f"{found.status.lower()}, needs “Allow partial”"
    return Choice(
        id=found.id,
        name=found.name or found.id,
        facts=(
            *((found.definition_name,) if found.definition_name != found.name else ()),
            _counted(found.transcripts, "transcript"),
            shown.written(found.completed_at or found.created_at) if finished else state,
        ),
    )


def _definition(found: FoundDefinition) -> Choice:
    facts = (_counted(found.scenarios, "scenario"), _counted(found.runs, "run"), shown.written(found.updated_at))
    return Choice(id=found.id, name=found.name, facts=facts)


def _counted(count: int, noun: str) -> str:
    return shown.plural(count, noun) + (" or more" if count >= COUNTED_TO else "")
