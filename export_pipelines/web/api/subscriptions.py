"""``/api/subscriptions``: exports that completed runs start by themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from export_pipelines.core.cursors import Position
from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.subscriptions import RunsOf, Subscription, Tally
from export_pipelines.db import subscriptions
from export_pipelines.steps import owned
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.orders import Terms, Told, build_order
from export_pipelines.steps.submit import HOURS
from export_pipelines.steps.subscribe import NAME_LENGTH, Wish, subscribe
from export_pipelines.web.api.bodies import Answer, Body, Moment, problems
from export_pipelines.web.api.export_bodies import DeliveryBody, Text
from export_pipelines.web.api.pages import OwnersQuery, cut
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import Web, WebOf

routes = APIRouter(prefix="/subscriptions", tags=["subscriptions"])

_REACTIONS = 20
_EXAMPLE: dict[str, Any] = {
    "id": "c0mwxsa7ysnajku0iiy2kh170",
    "user_id": "c4mmvt69yvfyh54nttnyuatal",
    "name": "RUN_BUNDLE of tag health",
    "type": "RUN_BUNDLE",
    "runs_of": "TAG",
    "subject_id": "c4yyvpdcu2ohltd2j2wix57oa",
    "subject": "health",
    "options": {"allow_partial": False, "strict": False},
    "expiry_hours": 24,
    "recipients": ["ada@example.org"],
    "include_download_link": True,
    "attach_file": False,
    "active": True,
    "active_since": "2026-03-01T12:00:00.000Z",
    "jobs": 3,
    "refused": 1,
    "last_at": "2026-03-04T08:15:00.000Z",
    "last_refusal": "the run's definition was deleted",
    "created_at": "2026-03-01T12:00:00.000Z",
    "updated_at": "2026-03-01T12:00:00.000Z",
}


class SubscriptionBody(Body):
    """Which runs, and what their exports are like. Exactly one of `definitionId`, `tag` and `all`."""

    type: str = Field(min_length=1, max_length=63, description="A type that exports a run, like `RUN_BUNDLE`.")
    definition_id: Text | None = Field(default=None, description="Runs of this definition: id, or name.")
    tag: Text | None = Field(default=None, description="Runs of definitions that have this tag as the run completes.")
    all: bool = Field(default=False, description="All runs.")
    name: str = Field(default="", max_length=NAME_LENGTH, description="What to call it; made up without it.")
    options: dict[Annotated[str, Field(max_length=63)], bool | Text] = Field(default={}, max_length=20)
    expiry_hours: int = Field(default=24, ge=HOURS.start, le=HOURS.stop - 1, description="Hours that files are kept.")
    delivery: DeliveryBody | None = None

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [{"type": "RUN_BUNDLE", "tag": "health", "delivery": {"recipients": ["ada@example.org"]}}]
        },
    )

    def wish(self, caller: Caller) -> Wish:
        """The subscription, for the caller.

        Raises:
            ValidationError: it does not say which runs.
        """
        if [self.definition_id is not None, self.tag is not None, self.all].count(True) != 1:
            raise ValidationError("say which runs: definitionId, tag or all, and only one of them.")
        terms = Terms(options=self.options, expiry_hours=self.expiry_hours)
        told = None if self.delivery is None else Told(**self.delivery.model_dump())
        order = build_order(self.type, user=caller.user.id, terms=terms, told=told)
        return Wish(order=order, name=self.name, definition=self.definition_id, tag=self.tag)


class SubscriptionAnswer(Answer):
    """A subscription, and what has come of it so far."""

    id: str
    user_id: str
    name: str
    type: str
    runs_of: RunsOf
    subject_id: str | None
    subject: str | None = Field(description="Name of the definition or tag; null when there is none, or it is gone.")
    options: dict[str, Any]
    expiry_hours: int
    recipients: list[str]
    include_download_link: bool
    attach_file: bool
    active: bool
    active_since: Moment = Field(description="Runs completed from then on are exported.")
    jobs: int
    refused: int = Field(description="Completed runs that could not be exported.")
    last_at: Moment | None
    last_refusal: str | None
    created_at: Moment
    updated_at: Moment

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class ReactionAnswer(Answer):
    """What a subscription answered to one run: a job, or the reason why there is none."""

    run_id: str
    at: Moment
    job_id: str | None
    reason: str | None


class OneSubscription(SubscriptionAnswer):
    """A subscription with its newest answers to runs."""

    reactions: list[ReactionAnswer]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_EXAMPLE,
                    "reactions": [
                        {"run_id": "c4yy", "at": "2026-03-04T08:15:00.000Z", "job_id": "c0mw", "reason": None}
                    ],
                }
            ]
        }
    )


class SubscriptionPage(Answer):
    """A page of subscriptions, the newest first."""

    items: list[SubscriptionAnswer]
    next_cursor: str | None


@routes.get("", summary="List subscriptions", responses=problems(403, 404, 422))
def get_page(query: Annotated[OwnersQuery, Query()], web: WebOf, caller: CallerOf) -> SubscriptionPage:
    """The caller's subscriptions, the newest first."""
    database = web.services.database
    user_id = owned.whose(web.services, caller, user=query.user, everybody=query.everybody)
    found = subscriptions.page(database, user_id=user_id, after=query.after, limit=query.limit + 1)
    items, end = cut(found, query, place=lambda one: Position(at=one.created_at, id=one.id))
    tallies = subscriptions.tallies(database, [one.id for one in items])
    # One that was removed between the two looks is not there any more.
    there = [_shown(one, tallies[one.id]) for one in items if one.id in tallies]
    return SubscriptionPage(items=there, next_cursor=end)


@routes.post("", status_code=201, summary="Subscribe", responses=problems(400, 404, 408, 409, 413, 422))
def post(body: SubscriptionBody, web: WebOf, caller: CallerOf) -> SubscriptionAnswer:
    """Have every run that completes from now on exported so."""
    return _told(web, subscribe(web.services, body.wish(caller)))


@routes.get("/{subscription_id}", summary="Look at a subscription", responses=problems(404))
def get_one(subscription_id: str, web: WebOf, caller: CallerOf) -> OneSubscription:
    """The subscription with its newest answers to runs."""
    found = owned.subscription(web.services, caller, subscription_id)
    reactions = subscriptions.reactions(web.services.database, found.id, limit=_REACTIONS)
    newest = [ReactionAnswer.model_validate(reaction) for reaction in reactions]
    return OneSubscription(**_told(web, found).model_dump(), reactions=newest)


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
    return _shown(one, tallies[one.id])


def _shown(one: Subscription, tally: Tally) -> SubscriptionAnswer:
    """The row, by its columns, and what came of it."""
    told = one.delivery or DeliveryRequest(recipients=())
    own = {name: getattr(one, name) for name in SubscriptionAnswer.model_fields if hasattr(one, name)}
    came = {name: getattr(tally, name) for name in ("subject", "jobs", "refused", "last_at", "last_refusal")}
    return SubscriptionAnswer(
        **own,
        **came,
        recipients=list(told.recipients),
        include_download_link=told.include_download_link,
        attach_file=told.attach_file,
    )
