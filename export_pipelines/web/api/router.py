"""Everything below ``/api``."""

from fastapi import APIRouter

from export_pipelines.web.api import (
    audit,
    choices,
    creating,
    deliveries,
    exports,
    fetching,
    me,
    previews,
    schedules,
    shares,
    subscriptions,
    usage,
    watching,
    webhooks,
)

_RESOURCES = (
    # Routes are tried in this order, and these are asked for most.
    watching.routes,
    me.routes,
    choices.routes,
    previews.routes,
    creating.routes,
    exports.routes,
    fetching.routes,
    shares.routes,
    schedules.routes,
    subscriptions.routes,
    deliveries.routes,
    webhooks.routes,
    usage.routes,
    audit.routes,
)


def router() -> APIRouter:
    """The API's routes."""
    everything = APIRouter()
    for routes in _RESOURCES:
        everything.include_router(routes)
    return everything
