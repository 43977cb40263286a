"""What a slot's job is made of, and what becomes of slots that were missed, and of schedules whose exports fail."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.core.schedules import MissedSlots
from export_pipelines.db import audit, jobs
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.orchestration.cron import wall_times
from export_pipelines.steps.dispatch import dispatch
from export_pipelines.steps.schedules import resume
from export_pipelines_tests.steps.orders import order
from export_pipelines_tests.steps.scheduled import MAY, added, end_jobs, moments, now_of, slots_of, tick


def test_a_job_has_what_the_row_says_and_a_template_means_what_it_meant_at_the_slot(services, clock):
    clock.now = MAY
    what = replace(
        order("BULK_DAY_JSONL", compression="gzip"),
        day="@yesterday",
        expiry_hours=48,
        title="Yesterday",
        delivery=DeliveryRequest(recipients=("ann@example.org",), attach_file=True),
    )
    schedule = added(services, pattern="58 23 * * *", what=what)
    [fired] = tick(services, clock, hours=21, minutes=32).fired
    request = jobs.request_of(jobs.get(services.database, fired.job_id))
    # Past midnight by now, but the slot was before.
    assert (clock.now.day, request.subject_id) == (5, "2026-05-03")
    assert (request.expiry_hours, request.title, request.delivery) == (48, "Yesterday", what.delivery)
    assert (request.options["compression"], request.user_id) == ("gzip", schedule.user_id)
    after = now_of(services, schedule)
    assert (after.run_count, after.failure_count, after.last_run) == (1, 0, fired_at(services, schedule))
    assert after.next_run == datetime(2026, 5, 5, 23, 58, tzinfo=UTC)


def fired_at(services, schedule):
    with services.database.raw_connection() as connection:
        query = "SELECT created_at FROM exports.export_schedule_slots WHERE schedule_id = %s"
        return connection.execute(query, [schedule.id]).fetchone()[0]


def test_the_latest_run_is_looked_up_anew_at_each_slot(services, clock):
    clock.now = MAY
    added(services, what=replace(order("BULK_JSONL"), run_id="@latest"))
    first = tick(services, clock, minutes=1).fired[0]
    with services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET deleted_at = now() WHERE id = %s", [SHOWCASE_RUN_ID])
    second = tick(services, clock, days=1).fired[0]
    found = [jobs.request_of(jobs.get(services.database, fired.job_id)).subject_id for fired in (first, second)]
    assert found[0] == SHOWCASE_RUN_ID != found[1]


def test_a_restart_of_a_few_minutes_misses_nothing(services, clock):
    clock.now = MAY
    schedule = added(services, pattern="* * * * *")
    assert len(tick(services, clock, minutes=4).fired) == 4
    assert moments(services, schedule) == ["04 02:30", "04 02:31", "04 02:32", "04 02:33"]
    assert tick(services, clock).fired == ()


@pytest.mark.parametrize(
    ("policy", "days", "given"),
    [
        (MissedSlots.SKIP, 1, []),
        (MissedSlots.SKIP, 100, []),
        (MissedSlots.RUN_ONCE, 1, ["04 21:30"]),
        (MissedSlots.RUN_ONCE, 100, ["11 21:30"]),
    ],
)
def test_after_an_outage_missed_slots_are_skipped_or_made_up_for_once(services, clock, policy, days, given):
    clock.now = MAY
    schedule = added(services, pattern="30 0-21/3 * * *", missed=policy)
    done = tick(services, clock, days=days, hours=-3)
    assert moments(services, schedule) == given
    assert len(done.missed) == (0 if given else 1)
    # And it goes on as if nothing had happened.
    assert now_of(services, schedule).next_run > clock.now
    clock.now = now_of(services, schedule).next_run
    assert len(dispatch(services, wall_times).fired) == 1
    assert len(jobs.list_jobs(services.database)) == len(given) + 1


def test_a_store_that_is_away_leaves_slots_due(services, clock):
    clock.now = MAY
    schedule = added(services)
    blocked = services.settings.home / "file"
    blocked.write_text("in the way")
    away = replace(services, store=type(services.store)(blocked / "store"))
    with pytest.raises(ExportPipelinesError, match="file"):
        tick(away, clock, minutes=1)
    assert slots_of(services, schedule) == []
    assert len(tick(services, clock, minutes=1).fired) == 1


def test_five_failures_in_a_row_pause_a_schedule_and_resuming_forgives_them(services, clock):
    clock.now = MAY
    schedule = added(services)
    for night in range(1, 6):
        assert len(tick(services, clock, days=night > 1, minutes=night == 1).fired) == 1
        assert now_of(services, schedule).failure_count == night - 1
        end_jobs(services)
    [paused] = tick(services, clock, minutes=1).paused
    assert paused == now_of(services, schedule)
    assert not paused.active
    assert paused.paused_reason == "5 exports in a row failed; the last: the disk is full"
    assert (paused.run_count, paused.failure_count, paused.next_run) == (5, 5, None)
    assert tick(services, clock, days=3).fired == ()
    assert pauses(services) == [("schedule_paused", schedule.id, paused.paused_reason)]
    resume(services, wall_times, paused)
    resume(services, wall_times, paused)
    assert pauses(services)[1:] == [("schedule_resumed", schedule.id, None)]
    assert len(tick(services, clock, days=1).fired) == 1
    end_jobs(services)
    assert tick(services, clock, minutes=1).paused == ()
    assert now_of(services, schedule).active


def pauses(services):
    """What the audit log knows of schedules, in order."""
    entries = reversed(audit.list_newest(services.database))
    return [
        (entry.action, entry.data["schedule_id"], entry.data.get("reason")) for entry in entries if not entry.job_id
    ]


def test_one_success_among_failures_keeps_a_schedule_going_and_a_retry_that_works_takes_a_failure_back(services, clock):
    clock.now = MAY
    schedule = added(services)
    for night in range(1, 7):
        tick(services, clock, days=night > 1, minutes=night == 1)
        if night == 3:
            end_jobs(services, JobStatus.CANCELLED, None)
        end_jobs(services)
        if night == 4:
            [job_id] = [job for at, job in slots_of(services, schedule) if at.day == 7]
            tick(services, clock, minutes=1)
            assert now_of(services, schedule).failure_count == 3
            with services.database.raw_connection(autocommit=True) as connection:
                for change in ("status = 'PROCESSING'", "status = 'COMPLETED', output_url = 'u', completed_at = now()"):
                    more = ", expires_at = now() + interval '1 h'" if "COMPLETED" in change else ""
                    connection.execute(f"UPDATE exports.export_jobs SET {change}{more} WHERE id = %s", [job_id])
    tick(services, clock, minutes=1)
    after = now_of(services, schedule)
    assert (after.active, after.run_count, after.failure_count) == (True, 6, 4)


def test_an_order_that_is_wrong_by_now_is_a_failure_of_its_slot_with_the_reason(services, clock):
    clock.now = MAY
    schedule = added(services, what=order("BULK_CSV"))
    with services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET deleted_at = now()")
    for night in range(1, 5):
        [fired] = tick(services, clock, days=night > 1, minutes=night == 1).fired
        assert "deleted" in fired.error
    assert now_of(services, schedule).active
    done = tick(services, clock, days=1)
    assert [one.id for one in done.paused] == [schedule.id]
    assert "5 exports in a row failed; the last: " in done.paused[0].paused_reason
    assert pauses(services) == [("schedule_paused", schedule.id, done.paused[0].paused_reason)]
    assert jobs.list_jobs(services.database) == ()


@pytest.mark.parametrize("damage", ["cron_pattern = 'soon'", "timezone = 'Mars/Olympus'"])
def test_a_row_that_cannot_be_read_is_paused_and_holds_nobody_up(services, clock, damage):
    clock.now = MAY
    broken, sound = added(services, "broken"), added(services, "sound")
    with services.database.raw_connection(autocommit=True) as connection:
        connection.execute(f"UPDATE exports.export_schedules SET {damage} WHERE id = %s", [broken.id])
    done = tick(services, clock, minutes=1)
    assert [fired.schedule.id for fired in done.fired] == [sound.id]
    reason = now_of(services, broken).paused_reason
    assert reason.startswith("its slots cannot be told any more: ")
    assert pauses(services) == [("schedule_paused", broken.id, reason)]


def test_a_row_that_lacks_its_input_fails_its_slots_and_says_what_is_missing(services, clock):
    clock.now = MAY
    added(services)
    with services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE exports.export_schedules SET input = '{}'")
    [fired] = tick(services, clock, minutes=1).fired
    assert "input without" in fired.error


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("""input = input || '{"options": null, "expiry_hours": null}'""", "expiry_hours is None"),
        ("""input = input || '{"options": ["flat"]}'""", "options is .'flat'., but must be an object"),
        ("""input = input || '{"subject_id": 5}'""", "subject_id is 5, but must be a text"),
        ("""input = input || '{"title": {}}'""", "title is {}, but must be a text"),
        ("""input = input - 'options'""", "input without 'options'"),
        ("recipients = '[null]'", "recipients must be texts"),
    ],
)
def test_a_row_that_plain_sql_has_damaged_is_refused_with_the_reason_and_harms_no_other(services, clock, damage, said):
    clock.now = MAY
    broken, sound = added(services, name="broken"), added(services, name="sound")
    with services.database.raw_connection(autocommit=True) as connection:
        connection.execute(f"UPDATE exports.export_schedules SET {damage} WHERE id = %s".encode(), [broken.id])
    fired = {one.schedule.name: one for one in tick(services, clock, minutes=1).fired}
    assert fired["sound"].job_id is not None
    assert fired["broken"].job_id is None
    assert re.search(said, fired["broken"].error)
    assert now_of(services, broken).failure_count == 1
    assert now_of(services, sound).failure_count == 0
