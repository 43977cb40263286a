"""Everything below ``/api``."""

from fastapi import APIRouter

from export_pipelines.web.api import me

PREFIX = "/api"
_RESOURCES = (me.routes,)


def router() -> APIRouter:
    """The API's routes."""
    everything = APIRouter(prefix=PREFIX)
    for routes in _RESOURCES:
        everything.include_router(routes)
    return everything
