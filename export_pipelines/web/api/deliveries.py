"""``/api/deliveries``: the messages about exports that have ended, or were shared."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field

from export_pipelines.core.cursors import Position
from export_pipelines.core.deliveries import Delivery, DeliveryEvent, DeliveryState
from export_pipelines.db import deliveries
from export_pipelines.steps import owned
from export_pipelines.steps.access import manageable
from export_pipelines.web.api.bodies import Answer, Moment, problems
from export_pipelines.web.api.pages import OwnersQuery, cut
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf

routes = resource("/deliveries", tag="deliveries")

_AT_ONCE = 1_000
_EXAMPLE: dict[str, Any] = {
    "id": "c0mwxrwrpel4hdjhihcy9fui1",
    "job_id": "c0mwxrolsctu6mexgod8nlbn0",
    "attempt": 1,
    "event": "export.completed",
    "recipient": "ada@example.org",
    "state": "DEAD",
    "data": {"title": "Transcripts (CSV): Courtyard, many languages, April", "status": "COMPLETED", "rows": 93},
    "tries": 12,
    "next_try_at": "2026-03-01T23:40:00.000Z",
    "last_error": "given up after 12 tries: the mail server does not answer",
    "sent_at": None,
    "share_id": None,
    "created_at": "2026-03-01T12:00:00.000Z",
}


class DeliveriesQuery(OwnersQuery):
    """Which deliveries."""

    job: Annotated[str, Field(max_length=64)] | None = Field(default=None, description="Only about this export.")
    state: DeliveryState | None = Field(default=None, description="Only these.")


class DeliveryAnswer(Answer):
    """One recipient's message; `data` is what was known when it was written."""

    id: str
    job_id: str
    attempt: int
    event: DeliveryEvent
    recipient: str
    state: DeliveryState
    data: dict[str, Any]
    tries: int
    next_try_at: Moment = Field(description="Not before; of one that is over, when it was last due.")
    last_error: str | None
    sent_at: Moment | None
    share_id: str | None
    created_at: Moment

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class DeliveryPage(Answer):
    """A page of deliveries, the newest first."""

    items: list[DeliveryAnswer]
    next_cursor: str | None


class RetriedAnswer(Answer):
    """What is tried anew."""

    retried: int
    more: bool = Field(description=f"Whether others are left, since at most {_AT_ONCE} are retried at once; ask again.")

    model_config = ConfigDict(json_schema_extra={"examples": [{"retried": 3, "more": False}]})


@routes.get("", summary="List deliveries", responses=problems(403, 404, 422))
def get_page(query: Annotated[DeliveriesQuery, Query()], web: WebOf, caller: CallerOf) -> DeliveryPage:
    """Messages about the caller's exports, the newest first; or about one export."""
    if query.job is None:
        user_id = owned.whose(web.services, caller, user=query.user, everybody=query.everybody)
    else:
        user_id = manageable(web.services, caller, query.job).user_id
    found = deliveries.page(
        web.services.database,
        user_id=user_id,
        job_id=query.job,
        state=query.state,
        after=query.after,
        limit=query.limit + 1,
    )
    items, end = cut(found, query, place=lambda one: Position(at=one.created_at, id=one.id))
    return DeliveryPage(items=[_shown(one) for one in items], next_cursor=end)


@routes.post("/retry-dead", status_code=202, summary="Retry what was given up", responses=problems())
def retry_dead(web: WebOf, caller: CallerOf) -> RetriedAnswer:
    """Have every message about the caller's exports that was given up tried anew, with all its tries before it."""
    again = deliveries.retry_dead(
        web.services.database, user_id=caller.user.id, most=_AT_ONCE, now=web.services.clock()
    )  # fmt: skip
    return RetriedAnswer(retried=len(again), more=len(again) == _AT_ONCE)


@routes.get("/{delivery_id}", summary="Look at a delivery", responses=problems(404))
def get_one(delivery_id: str, web: WebOf, caller: CallerOf) -> DeliveryAnswer:
    """One message, how often it was tried, and why it was not taken."""
    return _shown(owned.delivery(web.services, caller, delivery_id))


@routes.post("/{delivery_id}/retry", status_code=202, summary="Retry a delivery", responses=problems(404, 409))
def retry(delivery_id: str, web: WebOf, caller: CallerOf) -> DeliveryAnswer:
    """Have a message that was given up, or waits for its next try, tried at once, with all its tries before it."""
    found = owned.delivery(web.services, caller, delivery_id)
    return _shown(deliveries.retry(web.services.database, found.id, now=web.services.clock()))


def _shown(delivery: Delivery) -> DeliveryAnswer:
    """The row by its columns, without the sender's own marks."""
    return DeliveryAnswer(**{name: getattr(delivery, name) for name in DeliveryAnswer.model_fields})
