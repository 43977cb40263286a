"""``/api/subscriptions``: exports that completed runs start by themselves."""

from typing import Annotated

from fastapi import Query

from export_pipelines.core.cursors import Position
from export_pipelines.core.errors import NotFoundError
from export_pipelines.core.subscriptions import Subscription
from export_pipelines.db import subscriptions
from export_pipelines.steps import owned
from export_pipelines.steps import subscribe as steps
from export_pipelines.web.api.bodies import problems
from export_pipelines.web.api.pages import OwnersQuery, cut
from export_pipelines.web.api.resource import resource
from export_pipelines.web.api.subscription_bodies import SubscriptionBody, SubscriptionChange
from export_pipelines.web.api.subscriptions_shown import (
    OneSubscription,
    ReactionAnswer,
    SubscriptionAnswer,
    SubscriptionPage,
    shown,
)
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import Web, WebOf

routes = resource("/subscriptions", tag="subscriptions")

_REACTIONS = 20
_BODY = (400, 408, 413, 422)


@routes.get("", summary="List subscriptions", responses=problems(403, 404, 422))
def get_page(query: Annotated[OwnersQuery, Query()], web: WebOf, caller: CallerOf) -> SubscriptionPage:
    """The caller's subscriptions, the newest first."""
    database = web.services.database
    user_id = owned.whose(web.services, caller, user=query.user, everybody=query.everybody)
    found = subscriptions.page(database, user_id=user_id, after=query.after, limit=query.limit + 1)
    items, end = cut(found, query, place=lambda one: Position(at=one.created_at, id=one.id))
    tallies = subscriptions.tallies(database, [one.id for one in items])
    # One that was removed between the two looks is not there any more.
    there = [shown(one, tallies[one.id]) for one in items if one.id in tallies]
    return SubscriptionPage(items=there, next_cursor=end)


@routes.post("", status_code=201, summary="Subscribe", responses=problems(404, 409, *_BODY))
def post(body: SubscriptionBody, web: WebOf, caller: CallerOf) -> SubscriptionAnswer:
    """Have every run that completes from now on exported so."""
    return _told(web, steps.subscribe(web.services, body.wish(caller)))


@routes.get("/{subscription_id}", summary="Look at a subscription", responses=problems(404))
def get_one(subscription_id: str, web: WebOf, caller: CallerOf) -> OneSubscription:
    """The subscription with its newest answers to runs."""
    found = owned.subscription(web.services, caller, subscription_id)
    reactions = subscriptions.reactions(web.services.database, found.id, limit=_REACTIONS)
    newest = [ReactionAnswer.model_validate(reaction) for reaction in reactions]
    return OneSubscription(**_told(web, found).model_dump(), reactions=newest)


@routes.patch("/{subscription_id}", summary="Change a subscription", responses=problems(404, 409, *_BODY))
def patch(subscription_id: str, body: SubscriptionChange, web: WebOf, caller: CallerOf) -> SubscriptionAnswer:
    """Change what is given; checked as if it were made now. A paused one stays paused.

    Where it is about other runs than before, it answers to those completed from now on.
    """
    found = owned.subscription(web.services, caller, subscription_id)
    return _told(web, steps.change(web.services, found, body.wish(steps.wish_of(found))))


@routes.post("/{subscription_id}/pause", summary="Pause a subscription", responses=problems(404))
def pause(subscription_id: str, web: WebOf, caller: CallerOf) -> SubscriptionAnswer:
    """Start no exports for it until it is resumed; runs completed meanwhile are not exported later."""
    found = owned.subscription(web.services, caller, subscription_id)
    return _told(web, subscriptions.pause(web.services.database, found.id, now=web.services.clock()))


@routes.post("/{subscription_id}/resume", summary="Resume a subscription", responses=problems(404))
def resume(subscription_id: str, web: WebOf, caller: CallerOf) -> SubscriptionAnswer:
    """Start exports for it again, of runs that complete from now on."""
    found = owned.subscription(web.services, caller, subscription_id)
    return _told(web, subscriptions.resume(web.services.database, found.id, now=web.services.clock()))


@routes.delete("/{subscription_id}", status_code=204, summary="Remove a subscription", responses=problems(404))
def delete(subscription_id: str, web: WebOf, caller: CallerOf) -> None:
    """Remove it; the exports that it started stay."""
    subscriptions.remove(web.services.database, owned.subscription(web.services, caller, subscription_id).id)


def _told(web: Web, one: Subscription) -> SubscriptionAnswer:
    tallies = subscriptions.tallies(web.services.database, [one.id])
    if one.id not in tallies:
        raise NotFoundError(f"There is no subscription {one.id!r} any more; it was removed just now.")
    return shown(one, tallies[one.id])
