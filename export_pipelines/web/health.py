"""``/healthz``: whether this process can do its work, for load balancers and people who look after it."""

import logging
from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.storage.store import ObjectStore

logger = logging.getLogger(__name__)


def router(database: Database, store: ObjectStore) -> APIRouter:
    """The route; 200 when database and store answer, else 503. Reasons go into the log, not to the public."""

    def healthz() -> JSONResponse:
        found = {
            # Reads a row, so it also notices a database that was never migrated.
            "database": _state("database", lambda: jobs.list_jobs(database, limit=1)),
            "store": _state("store", lambda: next(iter(store.list("healthz/")), None)),
        }
        healthy = set(found.values()) == {"ok"}
        return JSONResponse(
            {"status": "ok" if healthy else "unavailable", **found}, status_code=200 if healthy else 503
        )

    routes = APIRouter()
    routes.add_api_route("/healthz", healthz, methods=["GET", "HEAD"], response_model=None)
    return routes


def _state(name: str, ask: Callable[[], object]) -> str:
    try:
        ask()
    except ExportPipelinesError as error:
        logger.warning("unhealthy part=%s reason=%s", name, error)
        return "unavailable"
    return "ok"
