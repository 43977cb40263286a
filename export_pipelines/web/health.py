"""``/healthz``: whether this process can do its work, for load balancers and people who look after it.

Links are served without Dagster's daemon, so a daemon that has stopped does not take the service out of its balancer:
``/healthz`` only says so. ``/healthz/daemon`` is for whoever must be woken up by it.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.db import jobs
from export_pipelines.db.daemon import SILENT_SECONDS, DaemonWatch
from export_pipelines.db.database import Database
from export_pipelines.storage.store import ObjectStore

logger = logging.getLogger(__name__)


def router(database: Database, store: ObjectStore, *, watch: DaemonWatch, clock: Callable[[], datetime]) -> APIRouter:
    """The routes; 200 when all is well, else 503. Reasons go into the log, not to the public."""

    def healthz() -> JSONResponse:
        found = {
            # Reads a row, so it also notices a database that was never migrated.
            "database": _state("database", lambda: jobs.list_jobs(database, limit=1)),
            "store": _state("store", lambda: next(iter(store.list("healthz/")), None)),
        }
        return _answer(found, {"daemon": _daemon_state(watch, clock())})

    def daemon_healthz() -> JSONResponse:
        return _answer({"daemon": _daemon_state(watch, clock())}, {})

    routes = APIRouter()
    for path, route in (("/healthz", healthz), ("/healthz/daemon", daemon_healthz)):
        routes.add_api_route(path, route, methods=["GET", "HEAD"], response_model=None)
    return routes


def _answer(decisive: Mapping[str, str], more: Mapping[str, str]) -> JSONResponse:
    healthy = set(decisive.values()) == {"ok"}
    content = {"status": "ok" if healthy else "unavailable", **decisive, **more}
    return JSONResponse(content, status_code=200 if healthy else 503)


def _daemon_state(watch: DaemonWatch, now: datetime) -> str:
    """``ok``, ``stopped``, or ``unknown`` where Dagster's database is not there to ask."""
    found = watch.look()
    if found is None:
        return "unknown"
    stopped = found.stopped(now)
    if stopped:
        logger.warning("unhealthy part=daemon reason=%s not heard of for %d s", ",".join(stopped), SILENT_SECONDS)
    return "stopped" if stopped else "ok"


def _state(name: str, ask: Callable[[], object]) -> str:
    try:
        ask()
    except ExportPipelinesError as error:
        logger.warning("unhealthy part=%s reason=%s", name, error)
        return "unavailable"
    return "ok"
