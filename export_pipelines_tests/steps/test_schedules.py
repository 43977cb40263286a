"""Schedules are checked when they are added, and what people do to them stays true."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.core.schedules import MissedSlots
from export_pipelines.db import jobs, schedules
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.orchestration.cron import wall_times
from export_pipelines.steps.schedules import (
    BY_HAND,
    add,
    change,
    order_of,
    pause,
    plan_of,
    resume,
    run_now,
    upcoming,
)  # fmt: skip
from export_pipelines.steps.submit import check
from export_pipelines_tests.steps.orders import order

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
GOOD = {"name": "nightly", "cron_pattern": "30 2 * * *", "timezone": "Europe/Berlin", "missed_slots": MissedSlots.SKIP}


def added(services, what=None, **changes):
    return add(services, wall_times, what or order("BULK_CSV", profile="flat"), **(GOOD | changes))


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"name": " "}, ValidationError, "schedule name"),
        ({"name": "n" * 101}, ValidationError, "schedule name"),
        ({"name": "a\nb"}, ValidationError, "schedule name"),
        ({"cron_pattern": "every night"}, ValidationError, "cron pattern 'every night'"),
        ({"cron_pattern": "0 0 31 4 *"}, ValidationError, "ever comes"),
        ({"timezone": "Mars/Olympus"}, ValidationError, "time zone 'Mars/Olympus'"),
        ({"what": replace(order("BULK_CSV"), run_id="cnosuchrun")}, NotFoundError, "cnosuchrun"),
        ({"what": order("BULK_CSV", profile="wide")}, ValidationError, "summary, flat"),
        ({"what": replace(order("BULK_CSV"), user="nobody@example.org")}, NotFoundError, "nobody@example.org"),
        ({"what": replace(order("BULK_DAY_JSONL"), day="@tomorrow")}, ValidationError, "@yesterday"),
        ({"what": replace(order("BULK_CSV"), run_id="@latest:Nowhere")}, NotFoundError, "Nowhere"),
        ({"what": replace(order("BULK_CSV"), run_id="@latestish")}, ValidationError, "@latest:DEFINITION"),
    ],
)
def test_what_is_wrong_is_found_when_the_schedule_is_added(services, changes, kind, said):
    with pytest.raises(kind, match=said):
        added(services, **changes)
    assert schedules.list_schedules(services.database) == ()


def test_the_first_slot_is_the_next_one_and_what_was_typed_is_resolved_unless_it_is_a_template(services, clock):
    clock.now = NOW
    plain = added(services, what=replace(order("BULK_CSV"), run_id=SHOWCASE_RUN_ID[:8]))
    template = added(services, name="latest", what=replace(order("BULK_CSV"), run_id="@latest"))
    assert plain.next_run == datetime(2026, 5, 5, 0, 30, tzinfo=UTC)
    assert (plain.input["subject_id"], template.input["subject_id"]) == (SHOWCASE_RUN_ID, "@latest")
    assert (plain.active, plain.run_count, plain.failure_count, plain.last_run) == (True, 0, 0, None)
    assert order_of(template).run_id == "@latest"
    assert schedules.get(services.database, plain.id) == plain


def test_a_slot_that_is_now_is_not_the_first(services, clock):
    clock.now = NOW
    frozen = replace(services, clock=lambda: NOW)
    assert added(frozen, cron_pattern="0 12 * * *", timezone="UTC").next_run == datetime(2026, 5, 5, 12, tzinfo=UTC)


def test_a_user_has_no_two_schedules_of_one_name(services):
    added(services)
    with pytest.raises(ConflictError, match="'nightly' already"):
        added(services)
    assert added(services, what=replace(order("BULK_CSV"), user="mei.demo@example.org")).name == "nightly"


def test_a_schedule_is_found_by_id_name_and_beginning_and_never_guessed(services):
    one = added(services)
    two = added(services, what=replace(order("BULK_CSV"), user="mei.demo@example.org"))
    three = added(services, name=one.id[:7])
    for text in (two.id, two.id[:-1]):
        assert schedules.find(services.database, text) == two
    # A name goes before the beginning of an id.
    assert schedules.find(services.database, three.name) == three
    with pytest.raises(ValidationError, match=f"{one.id}.*{two.id}"):
        schedules.find(services.database, "nightly")
    for text in ("weekly", "", "%", "a\x00b"):
        with pytest.raises(NotFoundError):
            schedules.find(services.database, text)


def test_pausing_keeps_the_first_reason_and_resuming_goes_on_with_the_next_slot(services, clock):
    clock.now = NOW
    schedule = added(services)
    schedules.pause(services.database, schedule.id, reason="it failed", now=NOW)
    assert pause(services, schedule).paused_reason == "it failed"
    clock.jump(days=10)
    resumed = resume(services, wall_times, schedule)
    assert (resumed.active, resumed.paused_reason) == (True, None)
    assert resumed.next_run == datetime(2026, 5, 15, 0, 30, tzinfo=UTC)
    assert resume(services, wall_times, schedule) == resumed
    assert pause(services, schedule).paused_reason == BY_HAND


def test_a_schedule_whose_order_is_wrong_by_now_is_not_resumed(services):
    schedule = pause(services, added(services))
    with services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET deleted_at = now()")
    with pytest.raises(NotFoundError, match="deleted"):
        resume(services, wall_times, schedule)


def test_running_now_takes_no_slot_and_counts_nothing(services):
    schedule = added(services)
    job = run_now(services, schedule)
    assert (job.status, job.type, job.input["options"]["profile"]) == (JobStatus.PENDING, "BULK_CSV", "flat")
    assert schedules.get(services.database, schedule.id) == schedule
    schedules.remove(services.database, schedule.id)
    assert jobs.get(services.database, job.id) == job
    with pytest.raises(NotFoundError):
        schedules.remove(services.database, schedule.id)


def test_the_next_slots_are_told_without_a_schedule_too():
    found = upcoming(wall_times, cron_pattern="@hourly", timezone="Asia/Kathmandu", count=3, now=NOW)
    assert [f"{slot.local:%H:%M} {slot.at:%H:%M}" for slot in found] == ["18:00 12:15", "19:00 13:15", "20:00 14:15"]


def test_a_change_moves_the_next_slot_only_when_the_times_change(services, clock):
    clock.now = NOW
    schedule = added(services)
    clock.now = schedule.next_run
    # The slot that is due right now, and that nobody has looked at yet, is not passed over.
    renamed = change(services, wall_times, schedule, replace(plan_of(schedule), name="mornings"))
    assert (renamed.name, renamed.next_run, renamed.input) == ("mornings", schedule.next_run, schedule.input)
    moved = change(services, wall_times, renamed, replace(plan_of(renamed), cron_pattern="0 * * * *"))
    assert moved.next_run == datetime(2026, 5, 5, 1, tzinfo=UTC)
    assert schedules.get(services.database, schedule.id) == moved


def test_of_two_changes_at_once_the_second_is_refused(services):
    schedule = added(services)
    plans = [replace(plan_of(schedule), name=name) for name in ("first", "second")]
    change(services, wall_times, schedule, plans[0])
    with pytest.raises(ConflictError, match="was changed meanwhile"):
        change(services, wall_times, schedule, plans[1])
    assert schedules.get(services.database, schedule.id).name == "first"


def test_a_dispatcher_that_read_the_old_times_neither_fires_nor_moves_the_new_ones(services, clock):
    clock.now = NOW
    schedule = added(services, cron_pattern="0 13 4 * *", timezone="UTC")
    [slot] = upcoming(wall_times, cron_pattern="0 13 4 * *", timezone="UTC", count=1, now=NOW)
    clock.now = slot.at
    moved = change(services, wall_times, schedule, replace(plan_of(schedule), cron_pattern="*/5 * * * *"))
    request = check(services, order_of(schedule))
    month_later = datetime(2026, 6, 4, 13, tzinfo=UTC)
    fired = schedules.fire(services.database, schedule.id, slot, request, following=month_later, now=clock())
    assert fired is None
    assert schedules.get(services.database, schedule.id) == moved
