"""What an export or a schedule is of, as people call it: the run by its name, ``@latest`` in words."""

from export_pipelines.catalog.export_type import Subject
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.errors import RequestError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, runs

_SUBJECTS = {type_.name: type_.subject for type_ in EXPORT_TYPES}
_LATEST, _YESTERDAY = "@latest", "@yesterday"


def called(database: Database, type_name: str, given: str) -> str:
    """``the run April``; by what was given, where nothing is known by that id.

    Args:
        database: where runs and definitions have their names.
        type_name: of the export; one that is not on offer any more is known by what was given alone.
        given: an id, a day, positions, or words like ``@latest``.
    """
    subject = _SUBJECTS.get(type_name)
    word, _, definition = given.partition(":")
    if subject is Subject.RUN and word == _LATEST:
        return "the latest run" + (f" of {definition}" if definition else "")
    if subject is Subject.DAY:
        return "the day before" if given == _YESTERDAY else given
    if subject is Subject.AUDIT_LOG:
        return f"rows {given}" if given else "all rows"
    return f"{subject} {_name(database, subject, given)}" if subject else given


def _name(database: Database, subject: Subject, given: str) -> str:
    try:
        found = (runs.get if subject is Subject.RUN else definitions.get)(database, given)
    except RequestError:
        # Deleted meanwhile, or of a version that is not known any more.
        return given
    return found.name or given
