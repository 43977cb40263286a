"""Everything below ``/api``."""

from fastapi import APIRouter

from export_pipelines.web.api import me, shares

PREFIX = "/api"
_RESOURCES = (me.routes, shares.routes)


def router() -> APIRouter:
    """The API's routes."""
    everything = APIRouter(prefix=PREFIX)
    for routes in _RESOURCES:
        everything.include_router(routes)
    return everything
