"""The web application, assembled from its routes and what they talk to."""

import logging
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from export_pipelines.core.errors import ExportPipelinesError, UnavailableError
from export_pipelines.db.daemon import DaemonWatch
from export_pipelines.db.database import Database
from export_pipelines.storage.store import ObjectStore
from export_pipelines.web import downloads, health, metrics
from export_pipelines.web.access import SAFE_HEADERS, Access
from export_pipelines.web.problems import INTERNAL, UNAVAILABLE, Problem, ProblemError, answer

logger = logging.getLogger(__name__)


def create_app(
    database: Database,
    store: ObjectStore,
    *,
    secret: bytes,
    clock: Callable[[], datetime],
    redirect: bool = True,
    dagster: Database | None = None,
) -> FastAPI:
    """The application.

    Args:
        database: rows of jobs, and the audit.
        store: where files lie.
        secret: key of the signed links.
        clock: the present moment, aware and UTC.
        redirect: whether readers are sent to the store's own links, where it has such.
        dagster: Dagster's own database, to tell whether its daemon ticks; None where it is not known.
    """
    # No schema and no pages about it: the routes so far are for links, not for programs to discover.
    app = FastAPI(title="export-pipelines", openapi_url=None, redirect_slashes=False)
    links = downloads.Downloads(database, store, secret=secret, clock=clock, redirect=redirect)
    app.include_router(downloads.router(links))
    watch = DaemonWatch(dagster, clock)
    app.include_router(health.router(database, store, watch=watch, clock=clock))
    figures = metrics.Deployment(database, watch, clock=clock, refused=links.refusals.counts)
    app.include_router(metrics.router(figures))
    app.add_exception_handler(ProblemError, _tell_problem)
    app.add_exception_handler(ExportPipelinesError, _tell_ours)
    app.add_exception_handler(HTTPException, _tell_status)
    app.add_exception_handler(Exception, _tell_internal)
    app.add_middleware(Access)
    return app


async def _tell_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return answer(request, error.problem)


async def _tell_ours(request: Request, error: Exception) -> Response:
    """What the routes did not foresee: the world is away, or something is broken. Reasons are for the log only."""
    if isinstance(error, UnavailableError):
        logger.warning("unavailable reason=%s", error)
        return answer(request, UNAVAILABLE)
    logger.error("request failed", exc_info=error)
    return answer(request, INTERNAL)


async def _tell_status(request: Request, error: Exception) -> Response:
    """The framework's own refusals: no such address, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    title = HTTPStatus(error.status_code).phrase
    detail = "Download links are GET requests to /downloads/ and a long text; copy yours again in full."
    code = title.lower().replace(" ", "-")
    problem = Problem(
        status=error.status_code, code=code, title=title, detail=detail, headers=dict(error.headers or {})
    )
    return answer(request, problem)


async def _tell_internal(request: Request, error: Exception) -> Response:
    # The framework logs the error itself, and answers outside of all middleware.
    response = answer(request, INTERNAL)
    response.headers.update(SAFE_HEADERS)
    return response
