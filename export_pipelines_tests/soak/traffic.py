"""Who asks for what while the deployment is soaked: every way that makes an export, at a pace that two cores keep."""

import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import DatabaseUnavailableError, StoreUnavailableError
from export_pipelines.core.schedules import MissedSlots
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.orchestration.cron import wall_times
from export_pipelines.steps import schedules
from export_pipelines.steps.queue import launch_waiting
from export_pipelines.steps.submit import COMMAND_LINE, Order, submit
from export_pipelines.steps.subscribe import Wish, subscribe
from export_pipelines.steps.sweep import sweep
from export_pipelines_tests.soak import runs
from export_pipelines_tests.soak.mailbox import REFUSED
from export_pipelines_tests.soak.world import USERS, WEBHOOK, World, address_of

BEAT_SECONDS = 5.0
SHORT_SHARE = 0.4
"""Of the exports that traffic asks for by itself, so many are to expire within seconds of their completion."""

OF_RUN = ("BULK_CSV", "BULK_JSONL", "BULK_PARQUET", "RUN_BUNDLE")
OF_DEFINITION = ("DEFINITION_MD", "SCENARIOS_YAML")
_INSERT = "INSERT INTO exports.export_jobs (user_id, type, input) VALUES (%s, %s, %s::jsonb) RETURNING id"
_SHORTEN = """UPDATE exports.export_jobs SET expires_at = greatest(now(), completed_at) + interval '3 s'
WHERE id = ANY(%s) AND status = 'COMPLETED' AND expires_at > now() + interval '1 min' RETURNING id, output_url"""
_CANCEL = """UPDATE exports.export_jobs SET status = 'CANCELLED'
WHERE id = %s AND status IN ('PENDING', 'PROCESSING') RETURNING id"""


@dataclass(kw_only=True)
class Traffic:
    """What was asked for, by how.

    Attributes:
        accepted: jobs that somebody was told of, and how each was asked for.
        wrong: those among them that cannot be exported.
        cancelled: those that somebody has cancelled.
        short: those that expire soon; ``links`` has where their files were, once they were complete.
        completed_runs: evaluation runs completed after the subscriptions were made.
        subscriptions, schedules: those that ask by themselves.
        turned_away: what failed at once, before anything was promised, because something was away.
    """

    world: World
    chance: random.Random
    accepted: dict[str, str] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    completed_runs: list[str] = field(default_factory=list)
    subscriptions: list[str] = field(default_factory=list)
    schedules: list[str] = field(default_factory=list)
    turned_away: Counter[str] = field(default_factory=Counter)

    def open(self) -> None:
        """Make what asks by itself from now on: a schedule of two users, a subscription of two others."""
        services = self.world.services
        for user, type_name in zip(USERS[:2], ("BULK_CSV", "DEFINITION_MD"), strict=True):
            made = schedules.add(
                services,
                wall_times,
                self._order(user, type_name, delivery=DeliveryRequest(recipients=(f"webhook:{WEBHOOK}",))),
                name="every minute",
                cron_pattern="* * * * *",
                timezone="Europe/Berlin",
                missed_slots=MissedSlots.RUN_ONCE,
            )
            self.schedules.append(made.id)
        told = DeliveryRequest(recipients=(address_of(USERS[2]), f"webhook:{WEBHOOK}"), attach_file=True)
        for user, type_name, definition, delivery in (
            (USERS[2], "BULK_JSONL", None, told),
            (USERS[3], "RUN_BUNDLE", SHOWCASE_DEFINITION_ID, None),
        ):
            order = Order(type=type_name, user=user, delivery=delivery)
            self.subscriptions.append(subscribe(services, Wish(order=order, definition=definition)).id)

    def flow(self, over: threading.Event) -> None:
        """Ask for exports, beat by beat, until it is over."""
        for _ in range(6):
            self.insert()
        beat = 0
        while not over.wait(BEAT_SECONDS):
            beat += 1
            for every, at, act in (
                (4, 0, self.insert),
                (4, 2, self.submit),
                (12, 5, self.complete_runs),
                (12, 9, self.cancel),
                (24, 7, self.insert_wrong),
                (6, 1, self.sweep),
            ):
                if beat % every == at:
                    act()
            self.shorten()

    def insert(self) -> str:
        """A row by plain SQL, like an application that knows the table only."""
        user, type_name = self.chance.choice(USERS), self.chance.choice((*OF_RUN, *OF_DEFINITION))
        asked: dict[str, Any] = {"subject_id": _subject(type_name)}
        if recipients := self._recipients(user):
            asked["delivery"] = {"recipients": recipients}
        [(job_id,)] = self.world.parts.rows(_INSERT, user, type_name, json.dumps(asked))
        self._accept(job_id, "plain SQL")
        return job_id

    def submit(self) -> None:
        """What ``export --queue`` does: check, make the row, have its run launched if its turn has come."""
        user, type_name = self.chance.choice(USERS), self.chance.choice((*OF_RUN, *OF_DEFINITION))
        recipients = self._recipients(user)
        delivery = DeliveryRequest(recipients=tuple(recipients)) if recipients else None
        try:
            made = submit(self.world.services, self._order(user, type_name, delivery=delivery))
        except StoreUnavailableError:
            self.turned_away["submit"] += 1
            return
        self._accept(made.id, "queued")
        launch_waiting(self.world.services, by=COMMAND_LINE)

    def complete_runs(self) -> None:
        """A burst of evaluation runs that complete in the same moment, seen only some seconds later."""
        self.completed_runs += runs.complete(self.world.parts.database, of=SHOWCASE_RUN_ID, number=2, unseen_seconds=3)

    def cancel(self) -> None:
        """A row that somebody changes their mind about, a moment later."""
        job_id = self.insert()
        threading.Event().wait(self.chance.uniform(0, 8))
        if self.world.parts.rows(_CANCEL, job_id):
            self.cancelled.add(job_id)

    def insert_wrong(self) -> None:
        """A row that nobody can carry out."""
        [(job_id,)] = self.world.parts.rows(_INSERT, USERS[0], "NO_SUCH_TYPE", "{}")
        self._accept(job_id, "plain SQL, wrong")
        self.short.discard(job_id)
        self.wrong.add(job_id)

    def sweep(self) -> None:
        """What an operator does by hand, oftener than the hourly job."""
        try:
            sweep(self.world.services)
        except (StoreUnavailableError, DatabaseUnavailableError):
            self.turned_away["sweep"] += 1

    def shorten(self) -> None:
        """Whole hours are the shortest expiry, so rows of complete exports are set to end within seconds."""
        self.links |= dict(self.world.parts.rows(_SHORTEN, list(self.short)))

    def _accept(self, job_id: str, how: str) -> None:
        self.accepted[job_id] = how
        if self.chance.random() < SHORT_SHARE:
            self.short.add(job_id)

    def _recipients(self, user: str) -> list[str]:
        """Half of the exports tell somebody; some of them a mail address that does not exist."""
        if self.chance.random() < 0.5:
            return []
        more = [REFUSED] if self.chance.random() < 0.25 else []
        return [address_of(user), f"webhook:{WEBHOOK}", *more]

    @staticmethod
    def _order(user: str, type_name: str, *, delivery: DeliveryRequest | None) -> Order:
        of_run = type_name in OF_RUN
        return Order(
            type=type_name,
            user=user,
            run_id=SHOWCASE_RUN_ID if of_run else None,
            definition_id=None if of_run else SHOWCASE_DEFINITION_ID,
            delivery=delivery,
        )


def _subject(type_name: str) -> str:
    return SHOWCASE_RUN_ID if type_name in OF_RUN else SHOWCASE_DEFINITION_ID
