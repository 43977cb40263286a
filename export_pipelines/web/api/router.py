"""Everything below ``/api``."""

from fastapi import APIRouter

from export_pipelines.web.api import choices, creating, exports, fetching, me, previews, shares, watching

PREFIX = "/api"
_RESOURCES = (
    me.routes,
    choices.routes,
    previews.routes,
    creating.routes,
    exports.routes,
    watching.routes,
    fetching.routes,
    shares.routes,
)


def router() -> APIRouter:
    """The API's routes."""
    everything = APIRouter(prefix=PREFIX)
    for routes in _RESOURCES:
        everything.include_router(routes)
    return everything
