"""Subscriptions are written, found, changed, paused, resumed and removed."""

from dataclasses import replace

import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.core.subscriptions import RunsOf
from export_pipelines.db import subscriptions
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_subscription, add_user, later


def test_what_is_written_is_read_back_whole(database: Database) -> None:
    delivery = DeliveryRequest(recipients=("a@example.org", "webhook:team"), include_download_link=False)
    wanted = {
        "name": "Jede Nacht — 毎晩",
        "user_id": add_user(database),
        "runs_of": RunsOf.TAG,
        "subject_id": "ctag",
        "type": "RUN_BUNDLE",
        "options": {"allow_partial": False, "strict": True},
        "expiry_hours": 168,
        "delivery": delivery,
    }
    made = add_subscription(database, **wanted)
    assert {name: getattr(made, name) for name in wanted} == wanted
    assert (made.active, made.active_since, made.created_at, made.updated_at) == (True, NOW, NOW, NOW)
    assert subscriptions.get(database, made.id) == made
    assert subscriptions.list_all(database) == (made,)


def test_without_recipients_nobody_is_told(database: Database) -> None:
    assert add_subscription(database).delivery is None


def test_a_name_is_unique_among_its_owners_only(database: Database) -> None:
    first = add_subscription(database, name="Nightly")
    with pytest.raises(ConflictError, match=f"'Nightly' already .{first.id}."):
        add_subscription(database, name="Nightly", user_id=first.user_id)
    second = add_subscription(database, name="Nightly")
    with pytest.raises(ValidationError, match="fits 2 subscriptions"):
        subscriptions.find(database, "Nightly")
    assert subscriptions.list_all(database, user_id=second.user_id) == (second,)


def test_it_is_found_by_name_by_id_and_by_the_beginning_of_an_id(database: Database) -> None:
    made = add_subscription(database, name="100%_sure")
    for text in ("100%_sure", made.id, made.id[:12]):
        assert subscriptions.find(database, text) == made
    for text in ("", "%", "_", "100%", "nobody"):
        with pytest.raises(NotFoundError, match="subscriptions list"):
            subscriptions.find(database, text)


def test_pausing_and_resuming_twice_changes_nothing_more(database: Database) -> None:
    made = add_subscription(database)
    paused = subscriptions.pause(database, made.id, now=later(hours=1))
    assert (paused.active, paused.active_since, paused.updated_at) == (False, NOW, later(hours=1))
    assert subscriptions.pause(database, made.id, now=later(hours=2)) == paused
    resumed = subscriptions.resume(database, made.id, now=later(hours=3))
    assert (resumed.active, resumed.active_since) == (True, later(hours=3))
    assert subscriptions.resume(database, made.id, now=later(hours=4)) == resumed


def test_a_change_is_written_whole_and_other_runs_count_from_then_on(database: Database) -> None:
    made = add_subscription(database)
    told = DeliveryRequest(recipients=("a@example.org",), attach_file=True)
    wanted = {"name": "Other", "options": {"strict": True}, "expiry_hours": 2, "delivery": told}
    altered = subscriptions.alter(database, made, replace(made, **wanted), now=later(hours=1))
    assert altered == replace(made, **wanted, updated_at=later(hours=1))
    moved = {"runs_of": RunsOf.TAG, "subject_id": "ctag", "delivery": None}
    elsewhere = subscriptions.alter(database, altered, replace(altered, **moved), now=later(hours=2))
    assert elsewhere == replace(altered, **moved, active_since=later(hours=2), updated_at=later(hours=2))
    other = subscriptions.alter(database, elsewhere, replace(elsewhere, subject_id="cother"), now=later(hours=3))
    assert (other.active_since, other.subject_id) == (later(hours=3), "cother")
    assert subscriptions.get(database, made.id) == other


def test_a_paused_one_that_is_changed_stays_paused(database: Database) -> None:
    paused = subscriptions.pause(database, add_subscription(database).id, now=later(hours=1))
    assert subscriptions.alter(database, paused, replace(paused, expiry_hours=2), now=later(hours=2)).active is False


def test_a_change_thought_out_before_another_is_refused_and_so_is_a_name_that_is_taken(database: Database) -> None:
    made = add_subscription(database)
    changed = subscriptions.alter(database, made, replace(made, expiry_hours=1), now=later(hours=1))
    with pytest.raises(ConflictError, match="changed meanwhile"):
        subscriptions.alter(database, made, replace(made, expiry_hours=2), now=later(hours=2))
    other = add_subscription(database, user_id=made.user_id, name="Taken")
    with pytest.raises(ConflictError, match=f"'Taken' already .{other.id}."):
        subscriptions.alter(database, changed, replace(changed, name="Taken"), now=later(hours=3))
    assert subscriptions.get(database, made.id) == changed
    subscriptions.remove(database, made.id)
    with pytest.raises(NotFoundError):
        subscriptions.alter(database, changed, changed, now=later(hours=4))


def test_removing_removes_the_answers_with_it(database: Database) -> None:
    made = add_subscription(database)
    subscriptions.record(database, made, [subscriptions.Answer(run_id="c1", outcome="no")], now=NOW)
    assert subscriptions.remove(database, made.id).id == made.id
    assert subscriptions.reactions(database, made.id, limit=5) == ()
    for change in (subscriptions.get, subscriptions.remove):
        with pytest.raises(NotFoundError):
            change(database, made.id)
