"""The visitor's usage: a chart by day, drawn here, and the same figures as a table."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from export_pipelines.core.usage import UsageStats
from export_pipelines.db import usage
from export_pipelines.web.page import chart, shown
from export_pipelines.web.page.jobs_shown import TYPE_TITLES
from export_pipelines.web.page.visits import VisitOf

DAYS = 30

routes = APIRouter(include_in_schema=False)


@routes.get("/usage")
def show(visit: VisitOf) -> Response:
    """The page."""
    today = visit.now.astimezone(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    stats = usage.list_stats(visit.services.database, user_id=visit.caller.user.id, since=first)
    drawn = chart.draw(_by_day(stats, first)) if stats else None
    return visit.page("usage.html", place="/usage", days=DAYS, chart=drawn, rows=_rows(stats, today))


def _by_day(stats: Sequence[UsageStats], first: date) -> list[chart.Day]:
    """Every day of the chart, also those without exports."""
    days = [first + timedelta(days=number) for number in range(DAYS)]
    done, failed = dict.fromkeys(days, 0), dict.fromkeys(days, 0)
    for row in stats:
        if row.day in done:
            done[row.day] += row.exports
            failed[row.day] += row.failures
    return [chart.Day(day=day, done=done[day], failed=failed[day]) for day in days]


def _rows(stats: Sequence[UsageStats], today: date) -> list[dict[str, object]]:
    names = ("exports", "failures", "rows", "bytes", "average_seconds")
    return [
        {
            "day": shown.day(row.day, today),
            # A day is named once; those who hear the table are told at every row.
            "repeated": place > 0 and stats[place - 1].day == row.day,
            "type_title": TYPE_TITLES.get(row.type, row.type),
            **{name: getattr(row, name) for name in names},
        }
        for place, row in enumerate(stats)
    ]
