"""Subscriptions as answers show them."""

from typing import Any

from pydantic import ConfigDict, Field

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.subscriptions import RunsOf, Subscription, Tally
from export_pipelines.web.api.bodies import Answer, Moment

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


def shown(one: Subscription, tally: Tally) -> SubscriptionAnswer:
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
