"""The queue: whose turn it is, within which limits, and that nobody waits for other people's queues."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export_pipelines.core.ids import new_id
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, events, jobs
from export_pipelines.db.database import Database
from export_pipelines.db.jobs import Limits
from export_pipelines_tests.db.rows import NOW, add_job, add_processing, add_user, at_percent, later

LIMITS = Limits(total=5, per_user=10)
ONE = Limits(total=1, per_user=1)


def claim(database: Database, limits: Limits = LIMITS, **by: float) -> list[str]:
    return [job.id for job in jobs.claim_launches(database, by="test", limits=limits, now=later(**by))]


def sized(database: Database, user: str, rows: int, *, number: int = 1, **by: float) -> list[str]:
    """Waiting jobs that come to so many rows each, made one second after the other."""
    ids = [new_id() for _ in range(number)]
    with database.raw_connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO exports.export_jobs (id, user_id, type, input, size_hint, created_at)"
            " VALUES (%s, %s, 'BULK_CSV', '{}', %s, %s)",
            [(job_id, user, rows, later(**by) + timedelta(seconds=place)) for place, job_id in enumerate(ids)],
        )
        cursor.execute("UPDATE exports.export_jobs SET admitted_at = created_at WHERE admitted_at IS NULL")
        connection.commit()
    return ids


def end(database: Database, job_id: str) -> None:
    jobs.claim(database, job_id, dagster_run_id=None, now=NOW)
    assert jobs.fail(database, job_id=job_id, attempt=None, error="over", now=NOW)


def set_failed(database: Database, job_id: str) -> None:
    with database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET status = 'FAILED', error = 'over' WHERE id = %s", [job_id])
        connection.commit()


def test_a_claim_says_who_and_when_and_leaves_the_status(database: Database) -> None:
    job = add_job(database)
    [claimed] = jobs.claim_launches(database, by="test", limits=LIMITS, now=later(seconds=3))
    assert (claimed.id, claimed.status, claimed.claimed_by) == (job.id, JobStatus.PENDING, "test")
    assert (claimed.claimed_at, claimed.run_key) == (later(seconds=3), f"{job.id}-1")
    assert claim(database) == []


def test_no_more_are_claimed_than_may_run_and_the_next_when_one_is_over(database: Database) -> None:
    waiting = [add_job(database, now=later(seconds=number)).id for number in range(7)]
    first = claim(database)
    assert first == waiting[:5]
    assert claim(database) == []
    end(database, first[2])
    assert claim(database) == waiting[5:6]
    assert jobs.queue_length(database, now=NOW) == jobs.QueueLength(waiting=1, delayed=0, running=5)


def test_one_users_limit_leaves_room_for_others(database: Database) -> None:
    eager, other = add_user(database), add_user(database)
    mine = sized(database, eager, 1, number=4)
    [theirs] = sized(database, other, 1, hours=1)
    assert set(claim(database, Limits(total=5, per_user=2))) == {*mine[:2], theirs}
    assert claim(database, Limits(total=5, per_user=2)) == []


def test_users_take_turns_however_much_one_of_them_asks_for(database: Database) -> None:
    eager, other = add_user(database), add_user(database)
    sized(database, eager, 1, number=20)
    theirs = sized(database, other, 1, number=2, hours=1)
    assert Counter(each in theirs for each in claim(database, Limits(total=4, per_user=10))) == {True: 2, False: 2}


def test_a_small_job_of_a_newcomer_goes_next_while_two_hundred_large_ones_wait(database: Database) -> None:
    eager, newcomer = add_user(database), add_user(database)
    large = sized(database, eager, 50_000, number=200)
    running = claim(database)
    assert running == large[:5]
    [small] = sized(database, newcomer, 1, hours=2)
    assert claim(database) == []
    end(database, running[0])
    assert claim(database) == [small]


def test_users_who_stand_alike_are_served_in_turn(database: Database) -> None:
    users = [add_user(database) for _ in range(3)]
    owner = {job_id: user for user in users for job_id in sized(database, user, 1, number=3)}
    served = []
    for minute in range(9):
        [job_id] = claim(database, ONE, minutes=minute)
        served.append(owner[job_id])
        end(database, job_id)
    assert [Counter(served[part : part + 3]) for part in (0, 3, 6)] == [Counter(users)] * 3


def test_a_users_small_jobs_go_before_large_ones_but_not_for_ever(database: Database) -> None:
    user = add_user(database)
    [large] = sized(database, user, 50_000)
    [small] = sized(database, user, 10, minutes=59)
    [late] = sized(database, user, 10, minutes=61)
    order = []
    for _ in range(3):
        [job_id] = claim(database, ONE, hours=2)
        order.append(job_id)
        end(database, job_id)
    assert order == [small, large, late]


def test_the_size_is_counted_when_the_job_is_made(seeded_database: Database) -> None:
    from export_pipelines.db.seed import SHOWCASE_RUN_ID

    user = add_user(seeded_database)
    assert add_job(seeded_database, user_id=user, subject_id=SHOWCASE_RUN_ID).size_hint == 96  # three of them deleted
    assert add_job(seeded_database, user_id=user, subject_id="cnothing").size_hint == 0


def test_whoever_makes_a_job_does_not_wait_for_a_table_that_is_locked(seeded_database: Database) -> None:
    from export_pipelines.db.seed import SHOWCASE_RUN_ID

    user = add_user(seeded_database)
    with seeded_database.raw_connection() as other:
        other.execute("LOCK TABLE evaluation.transcripts IN ACCESS EXCLUSIVE MODE")
        made = add_job(seeded_database, user_id=user, subject_id=SHOWCASE_RUN_ID)
        # Among the largest, since nobody knows; and it is there, with its audit entry, while the lock lasts.
        assert made.size_hint == 36_000
        assert jobs.get(seeded_database, made.id) == made
        assert [entry.action for entry in audit.list_for_job(seeded_database, made.id)] == ["created"]


def test_of_many_that_claim_at_once_nobody_exceeds_the_limits_and_no_job_is_claimed_twice(database: Database) -> None:
    for number in range(12):
        add_job(database, now=later(seconds=number))
    with ThreadPoolExecutor(6) as pool:
        claimed = [job_id for ids in pool.map(lambda _: claim(database), range(6)) for job_id in ids]
    assert len(claimed) == len(set(claimed)) == 5


def test_a_row_that_somebody_holds_is_passed_over_and_holds_nobody_up(database: Database) -> None:
    held, free = add_job(database), add_job(database, now=later(seconds=1))
    with database.raw_connection() as connection:
        connection.execute("SELECT FROM exports.export_jobs WHERE id = %s FOR UPDATE", [held.id])
        assert claim(database) == [free.id]
        connection.rollback()
    assert claim(database) == [held.id]


def test_a_job_made_for_a_run_that_exists_already_does_not_wait(database: Database) -> None:
    request = jobs.request_of(add_job(database))
    jobs.create(database, request, now=NOW, dagster_run_id="run-1")
    jobs.create(database, request, now=NOW, claimed_by="command line")
    assert len(claim(database)) == 1
    assert jobs.queue_length(database, now=NOW).running == 3


def test_a_forgotten_claim_is_released_once_and_never_under_a_run_that_has_begun(database: Database) -> None:
    job = add_job(database)
    [claimed] = jobs.claim_launches(database, by="test", limits=LIMITS, now=NOW)
    assert jobs.forgotten(database, before=NOW) == ()
    assert [each.id for each in jobs.forgotten(database, before=later(seconds=1))] == [job.id]
    assert jobs.release(database, claimed, now=later(seconds=2))
    assert jobs.release(database, claimed, now=later(seconds=2)) is None
    [again] = jobs.claim_launches(database, by="test", limits=LIMITS, now=later(seconds=3))
    assert again.run_key == claimed.run_key
    jobs.claim(database, job.id, dagster_run_id="run-1", now=later(seconds=4))
    assert jobs.release(database, again, now=later(seconds=5)) is None


def test_a_job_whose_worker_was_lost_waits_for_its_time_and_then_for_its_turn(database: Database) -> None:
    job = jobs.claim(database, add_job(database).id, dagster_run_id="run-1", now=NOW)
    back = jobs.put_back(database, job, launch_after=later(seconds=30), now=later(seconds=1))
    assert back is not None
    assert (back.status, back.waits, back.run_key, back.attempt) == (JobStatus.PROCESSING, True, f"{job.id}-2", 1)
    assert jobs.put_back(database, job, launch_after=later(seconds=90), now=later(seconds=2)) is None
    assert jobs.queue_length(database, now=later(seconds=2)) == jobs.QueueLength(waiting=1, delayed=1, running=0)
    assert claim(database, seconds=29) == []
    assert claim(database, seconds=30) == [job.id]
    again = jobs.reopen(database, job.id, dagster_run_id="run-2", now=later(seconds=31), new_attempt=False)
    assert not again.waits
    assert "its worker was lost" in [event.message for event in events.list_events(database, job.id)][-2]


def test_a_worker_that_is_heard_of_again_keeps_its_job(database: Database) -> None:
    job, ref = add_processing(database)
    jobs.report_progress(database, ref, at_percent(5), now=later(seconds=1))
    assert jobs.put_back(database, job, launch_after=later(seconds=30), now=later(seconds=2)) is None
    told = {"job_id": job.id, "attempt": job.attempt, "error": "lost", "now": later(seconds=2)}
    assert jobs.fail(database, **told, seen=job) is None
    assert jobs.cancel(database, job.id, now=later(seconds=2), seen=job).status is JobStatus.PROCESSING
    seen = jobs.get(database, job.id)
    assert (seen.status, seen.launch, seen.waits) == (JobStatus.PROCESSING, 1, False)
    assert jobs.put_back(database, seen, launch_after=later(seconds=30), now=later(seconds=3)) is not None


def test_a_cancellation_by_plain_sql_gets_its_audit_entry_once(database: Database) -> None:
    job, other = add_job(database), add_job(database)
    jobs.cancel(database, other.id, now=NOW)
    with database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET status = 'CANCELLED' WHERE id = %s", [job.id])
        connection.commit()
    assert jobs.audit_cancellations(database, now=later(minutes=1)) == (job.id,)
    assert jobs.audit_cancellations(database, now=later(minutes=2)) == ()
    assert [entry.action for entry in audit.list_for_job(database, job.id)] == ["created", "cancelled"]


@pytest.mark.parametrize("column", ["launch", "attempt"])
def test_what_counts_launches_and_attempts_never_falls(database: Database, column: str) -> None:
    from psycopg import errors

    add_job(database)
    with database.raw_connection() as connection:
        connection.execute(f"UPDATE exports.export_jobs SET {column} = 3".encode())
        with pytest.raises(errors.CheckViolation, match=f"from {column} 3 to 2"):
            connection.execute(f"UPDATE exports.export_jobs SET {column} = 2".encode())


@dataclass
class Model:
    """Who waits and who runs, as the rules of fairness see it."""

    waiting: dict[int, list[tuple[float, int, str]]] = field(default_factory=dict)
    running: Counter[int] = field(default_factory=Counter)
    over: set[str] = field(default_factory=set)


QUEUED = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60_000), st.integers(0, 7200)), max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(queued=QUEUED, total=st.integers(1, 6), per_user=st.integers(1, 4))
def test_every_choice_is_the_fairest_that_the_limits_allow(
    database: Database, queued: list[tuple[int, int, int]], total: int, per_user: int
) -> None:
    limits = Limits(total=total, per_user=per_user)
    model, owner, users = Model(), {}, {}
    for user, rows, second in queued:
        users[user] = users.get(user) or add_user(database)
        [job_id] = sized(database, users[user], rows, seconds=second)
        owner[job_id] = user
        model.waiting.setdefault(user, []).append((second + min(rows, 36_000) / 10, second, job_id))
    running: list[str] = []
    while len(running) < len(owner) or model.running.total():
        claimed = claim(database, limits, hours=3)
        assert len(claimed) == _room(model, total=total, per_user=per_user)
        for job_id in claimed:
            _check_fair(model, job_id, owner[job_id], per_user=per_user)
        running += claimed
        over = next(job_id for job_id in running if job_id not in model.over)
        model.over.add(over)
        model.running[owner[over]] -= 1
        set_failed(database, over)


def _room(model: Model, *, total: int, per_user: int) -> int:
    """How many places the limits leave for those who wait."""
    each = (min(len(waiting), per_user - model.running[user]) for user, waiting in model.waiting.items())
    return min(total - model.running.total(), sum(each))


def _check_fair(model: Model, job_id: str, user: int, *, per_user: int) -> None:
    """Nobody who waits and may run has less running, and of his own jobs this is the first."""
    least = min(model.running[other] for other, waiting in model.waiting.items() if waiting)
    assert model.running[user] == least < per_user
    first = min(model.waiting[user])
    assert job_id == first[2]
    model.waiting[user].remove(first)
    model.running[user] += 1
