"""The page's routes, and what it does with errors of its own."""

from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from export_pipelines.web.page import (
    assets,
    choices,
    history,
    job,
    job_actions,
    order,
    schedule_form,
    schedules,
    sessions,
    usage,
)
from export_pipelines.web.page.templates import templates
from export_pipelines.web.page.visits import FRAGMENT, LoginNeededError
from export_pipelines.web.problems import Problem, answer

_LOGIN_NEEDED = Problem(
    status=401,
    code="not-authenticated",
    title="You are not logged in",
    detail=sessions.OVER,
)
_MODULES = (sessions, history, order, job, job_actions, choices, schedule_form, schedules, usage)
"""An address that is written out goes before one with a parameter in the same place."""


def include(app: FastAPI) -> None:
    """Add the page to the application."""
    app.include_router(assets.router(templates().assets))
    for module in _MODULES:
        app.include_router(module.routes)
    app.add_exception_handler(LoginNeededError, _ask_to_log_in)


async def _ask_to_log_in(request: Request, error: Exception) -> Response:
    """The login form, which leads back; scripts are only told, and load the page anew."""
    if not isinstance(error, LoginNeededError):
        raise error
    if FRAGMENT.lower() in request.headers or request.headers.get("sec-fetch-dest") == "empty":
        return answer(request, _LOGIN_NEEDED)
    over = "yes" if request.method == "GET" else "sent"
    query = {"next": error.next} | ({"over": over} if error.over else {})
    return RedirectResponse(f"/login?{urlencode(query)}", status_code=303)
