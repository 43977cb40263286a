"""What an order may say in place of an id: the run that was completed last, the day that was over last."""

from datetime import UTC, date, datetime, timedelta

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.evaluation import Run
from export_pipelines.db.evaluation import lookup, runs
from export_pipelines.steps.services import Services

LATEST = "@latest"
YESTERDAY = "@yesterday"
TEMPLATE = "@"
"""What the words begin with that mean something else each time; no id does, and names hardly ever."""


def find_run(services: Services, text: str) -> Run:
    """The run of that id, beginning of an id or name; of ``@latest``; or of ``@latest:`` and a definition.

    Raises:
        NotFoundError: there is none, or none was completed yet.
        ValidationError: the text fits several, or cannot be read.
    """
    if not text.startswith(LATEST):
        return lookup.find_run(services.database, text)
    definition = text.removeprefix(LATEST)
    if not definition:
        return runs.latest_completed(services.database)
    if not definition.startswith(":"):
        raise ValidationError(f"run {text!r} cannot be read; write {LATEST}, or {LATEST}:DEFINITION.")
    found = lookup.find_definition(services.database, definition[1:])
    return runs.latest_completed(services.database, definition_id=found.id)


def read_day(text: str, *, now: datetime) -> date:
    """The day as a date; ``@yesterday`` is the last UTC day that is over at ``now``.

    Raises:
        ValidationError: it is no day, or not over yet: what is still to come would be missing from the file.
    """
    today = now.astimezone(UTC).date()
    if text.strip() == YESTERDAY:
        return today - timedelta(days=1)
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise ValidationError(f"day {text[:40]!r} cannot be read; write it like 2026-03-01, or {YESTERDAY}.") from error
    if day >= today:
        raise ValidationError(f"day {day} is not over yet (UTC); wait for its end, or give an earlier one.")
    return day
