"""``/api/usage``: who exported how much, by day and by month."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.usage import Span, SpanUsage
from export_pipelines.db import usage
from export_pipelines.steps import owned
from export_pipelines.web.api.bodies import Answer, problems
from export_pipelines.web.api.exports import Day
from export_pipelines.web.api.pages import OwnersQuery, cut
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf

routes = resource("/usage", tag="usage")

_DAYS = 30
_MONTHS = 12
_EXAMPLE: dict[str, Any] = {
    "user_id": "c4mmvt69yvfyh54nttnyuatal",
    "begins": "2026-03-01",
    "type": "BULK_CSV",
    "exports": 4,
    "failures": 1,
    "rows": 372,
    "bytes": 141720,
    "average_seconds": 1.8,
}


class UsageQuery(OwnersQuery):
    """Which usage."""

    by: Span = Field(default=Span.DAY, description="Added up day by day, or month by month.")
    since: Day | None = Field(
        default=None, alias="from", description=f"The first day, UTC; {_DAYS} days or {_MONTHS} months back without it."
    )
    until: Day | None = Field(default=None, alias="to", description="The last day, UTC; today without it.")


class UsageAnswer(Answer):
    """What ended in a day or month, of one user and type."""

    user_id: str
    begins: date = Field(description="The day, or the first of the month, UTC.")
    type: str
    exports: int
    failures: int
    rows: int
    bytes: int
    average_seconds: float | None

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class UsagePage(Answer):
    """A page of usage, the newest first."""

    items: list[UsageAnswer]
    next_cursor: str | None


@routes.get("", summary="Look at usage", responses=problems(403, 404, 422))
def get_page(query: Annotated[UsageQuery, Query()], web: WebOf, caller: CallerOf) -> UsagePage:
    """The caller's exports, failures, rows and bytes, as last counted: each night, shortly after 00:00 UTC."""
    user_id = owned.whose(web.services, caller, user=query.user, everybody=query.everybody)
    until = query.until or web.services.clock().date()
    since = query.since or _back(until, query.by)
    if since > until:
        raise ValidationError(f"the days are {since} to {until}, which are none; give an earlier from, or a later to.")
    found = usage.add_up(
        web.services.database,
        query.by,
        user_id=user_id,
        since=since,
        until=until,
        after=query.after,
        limit=query.limit + 1,
    )
    items, end = cut(found, query, place=lambda one: one.place)
    return UsagePage(items=[_shown(one) for one in items], next_cursor=end)


def _back(until: date, span: Span) -> date:
    if span is Span.DAY:
        return until - min(timedelta(days=_DAYS - 1), until - date.min)
    # Counted so that 12 is January of the year 1, where the calendar begins.
    months = max(until.year * 12 + until.month - _MONTHS, 12)
    return date(months // 12, months % 12 + 1, 1)


def _shown(one: SpanUsage) -> UsageAnswer:
    return UsageAnswer(**{name: getattr(one, name) for name in UsageAnswer.model_fields})
