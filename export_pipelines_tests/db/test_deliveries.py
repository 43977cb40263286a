"""The outbox: one sender a message at a time, leases that lapse, and reports that come too late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from export_pipelines.core.deliveries import Delivery, DeliveryRequest, DeliveryState
from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.db import deliveries, jobs
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job, add_user, later

LEASE = timedelta(minutes=5)


def add(database: Database, *recipients: str, user_id: str | None = None, now: datetime = NOW) -> None:
    """Pending deliveries of a job that has failed."""
    request = DeliveryRequest(recipients=recipients or ("ada@example.org",))
    job = add_job(database, user_id=user_id, delivery=request)
    jobs.fail(database, job_id=job.id, attempt=None, error="error", now=now)


def claim(database: Database, now: datetime = NOW, **more: Any) -> Delivery | None:
    return deliveries.claim(database, now=now, lease=LEASE, **more)


def taken(database: Database, now: datetime = NOW) -> Delivery:
    delivery = claim(database, now)
    assert delivery is not None
    return delivery


def test_many_senders_at_once_share_the_messages_and_none_is_taken_twice(database: Database) -> None:
    add(database, *(f"user{number}@example.org" for number in range(20)))
    with ThreadPoolExecutor(8) as pool:
        claimed = [delivery for delivery in pool.map(lambda _: claim(database), range(40)) if delivery]
    # A sender that finds a row locked passes it over, and comes again in the next round.
    while delivery := claim(database):
        claimed.append(delivery)
    assert sorted(delivery.recipient for delivery in claimed) == sorted(
        f"user{number}@example.org" for number in range(20)
    )
    assert {delivery.tries for delivery in claimed} == {1}
    assert len({delivery.claim for delivery in claimed}) == 20


def test_the_longest_due_goes_first_and_what_is_not_due_waits(database: Database) -> None:
    for minutes in (3, 1, 2):
        add(database, f"user{minutes}@example.org", now=later(minutes=minutes))
    assert claim(database, NOW) is None
    order = [taken(database, later(minutes=2.5)).recipient for _ in range(2)]
    assert order == ["user1@example.org", "user2@example.org"]
    assert claim(database, later(minutes=2.5)) is None


def test_a_sender_that_died_loses_its_claim_and_its_report_comes_too_late(database: Database) -> None:
    add(database)
    dead = taken(database)
    assert claim(database, NOW + LEASE - timedelta(seconds=1)) is None
    heir = taken(database, NOW + LEASE)
    assert (heir.id, heir.tries) == (dead.id, 2)
    deliveries.put_off(database, dead, error="late", until=later(days=9))
    deliveries.give_up(database, dead, error="late")
    assert deliveries.get(database, heir.id) == heir
    deliveries.put_off(database, heir, error="away", until=later(hours=1))
    waiting = deliveries.get(database, heir.id)
    assert (waiting.state, waiting.claim, waiting.last_error) == (DeliveryState.PENDING, None, "away")
    assert claim(database, later(minutes=59)) is None


def test_what_was_sent_was_sent_also_when_the_lease_had_run_out(database: Database) -> None:
    add(database)
    late = taken(database)
    heir = taken(database, NOW + LEASE)
    deliveries.mark_sent(database, late, now=later(minutes=6))
    deliveries.put_off(database, heir, error="away", until=later(hours=1))
    deliveries.mark_sent(database, heir, now=later(minutes=7))
    sent = deliveries.get(database, late.id)
    assert (sent.state, sent.sent_at, sent.last_error) == (DeliveryState.SENT, later(minutes=6), None)
    assert deliveries.waiting(database) == 0


def test_receivers_that_are_away_are_passed_over_for_their_user_only(database: Database) -> None:
    ada, bob = add_user(database), add_user(database)
    add(database, "webhook:hook", "ada@example.org", user_id=ada)
    add(database, "webhook:hook", user_id=bob, now=later(seconds=1))
    away = {(ada, "webhook:hook")}
    found = [claim(database, later(minutes=1), passing_over=away) for _ in range(3)]
    assert [delivery and delivery.recipient for delivery in found] == ["ada@example.org", "webhook:hook", None]


def test_without_mail_only_webhooks_are_taken(database: Database) -> None:
    add(database, "ada@example.org", "webhook:hook", "webhooks@example.org")
    assert taken(database).recipient
    names = set()
    while delivery := claim(database, NOW + LEASE, without_mail=True):
        names.add(delivery.recipient)
    assert names == {"webhook:hook"}


def test_a_delivery_that_was_given_up_can_be_retried_with_all_its_tries(database: Database) -> None:
    add(database)
    delivery = taken(database)
    with pytest.raises(ConflictError, match="is being sent right now"):
        deliveries.retry(database, delivery.id, now=NOW)
    deliveries.give_up(database, delivery, error="no such user\x00\ud800")
    dead = deliveries.get(database, delivery.id)
    assert (dead.state, dead.last_error, dead.claim) == (
        DeliveryState.DEAD,
        "no such user\N{REPLACEMENT CHARACTER}?",
        None,
    )
    assert claim(database, later(days=1)) is None
    again = deliveries.retry(database, delivery.id, now=later(hours=1))
    assert (again.state, again.tries, again.next_try_at) == (DeliveryState.PENDING, 0, later(hours=1))
    deliveries.mark_sent(database, taken(database, later(hours=1)), now=later(hours=1))
    with pytest.raises(ConflictError, match="was sent at 2026-03-01 13:00 UTC"):
        deliveries.retry(database, delivery.id, now=later(hours=2))
    with pytest.raises(NotFoundError, match="deliveries list"):
        deliveries.retry(database, "c0nosuch", now=NOW)


def test_deliveries_are_found_by_the_beginning_of_their_id_and_listed_by_job_and_state(database: Database) -> None:
    add(database, "ada@example.org", "bob@example.org")
    first, second = deliveries.list_deliveries(database)
    assert deliveries.find(database, first.id) == first
    assert deliveries.list_deliveries(database, job_id=first.job_id, state=DeliveryState.PENDING) == (first, second)
    assert deliveries.list_deliveries(database, state=DeliveryState.DEAD) == ()
    assert deliveries.list_deliveries(database, job_id="c0other") == ()
    with pytest.raises(ValidationError, match="type more of it"):
        deliveries.find(database, "c0")
    with pytest.raises(NotFoundError, match="deliveries list"):
        deliveries.find(database, "; DROP TABLE")


def test_deliveries_go_with_their_job(database: Database) -> None:
    add(database)
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("DELETE FROM exports.export_jobs")
    assert deliveries.list_deliveries(database) == ()
