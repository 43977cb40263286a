"""Subscriptions: exports that a completed evaluation run starts by itself."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from export_pipelines.core.deliveries import DeliveryRequest


class RunsOf(enum.StrEnum):
    """Which runs a subscription is about."""

    ALL = "ALL"
    DEFINITION = "DEFINITION"
    TAG = "TAG"


@dataclass(frozen=True, kw_only=True)
class NewSubscription:
    """A subscription that is about to be written, checked.

    Attributes:
        name: what its owner calls it; unique among the owner's.
        runs_of, subject_id: all runs; or those of one definition, or of definitions with one tag, and its id.
        type: an export type that is of a run.
        options, expiry_hours, delivery: of every export that it starts.
    """

    name: str
    user_id: str
    runs_of: RunsOf
    subject_id: str | None
    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    expiry_hours: int = 24
    delivery: DeliveryRequest | None = None


@dataclass(frozen=True, kw_only=True)
class Subscription(NewSubscription):
    """One row of ``exports.export_subscriptions``. Times are aware and UTC.

    Attributes:
        active_since: runs completed from then on are answered; the time of making, of resuming, or of the last change
            of which runs it is about.
    """

    id: str
    active: bool
    active_since: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What has come of a subscription so far.

    Attributes:
        subject: name of the definition or tag; None when there is none, or when it is gone.
        jobs: exports that it started.
        refused: completed runs that it could not start one for.
        last_at: when it last did either.
        last_refusal: why it could not, the last time.
    """

    subject: str | None
    jobs: int
    refused: int
    last_at: datetime | None
    last_refusal: str | None


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """What a subscription answered to one run: a job, or the reason why there is none."""

    run_id: str
    at: datetime
    job_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Position:
    """A place in the order of completed runs, by time and, within a microsecond, by id."""

    completed_at: datetime
    run_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A completed run that a subscription asks for and has not been answered to yet.

    Attributes:
        subscription_updated_at: since when the subscription is as it was for this look.
        run_name: its name, or its id where it has none.
        definition_name, definition_deleted_at: of its definition, as it is now.
    """

    subscription_id: str
    subscription_updated_at: datetime
    run_id: str
    run_name: str
    completed_at: datetime
    definition_name: str | None
    definition_deleted_at: datetime | None

    @property
    def position(self) -> Position:
        """Where the run stands in the order of completion."""
        return Position(completed_at=self.completed_at, run_id=self.run_id)
