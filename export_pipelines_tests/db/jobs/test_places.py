"""A job's place in the queue is the one that the queue then serves it in."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export_pipelines.core.ids import new_id
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.db.jobs import Limits, WaitsFor
from export_pipelines_tests.db.rows import NOW, add_job, add_user, later

WIDE = Limits(total=100, per_user=100)
WAITING = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40_000), st.integers(0, 7200)), min_size=1, max_size=12)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WAITING)
def test_jobs_are_claimed_in_the_order_of_their_places(database: Database, waiting: list[tuple[int, int, int]]) -> None:
    users = [add_user(database) for _ in range(3)]
    ids = [new_id() for _ in waiting]
    with database.raw_connection() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM exports.export_jobs")
        cursor.executemany(
            "INSERT INTO exports.export_jobs (id, user_id, type, input, size_hint, created_at)"
            " VALUES (%s, %s, 'BULK_CSV', '{}', %s, %s)",
            [
                (job_id, users[user], size, NOW - timedelta(seconds=age))
                for job_id, (user, size, age) in zip(ids, waiting, strict=True)
            ],
        )
        # As the queue does once it has looked at them.
        cursor.execute("UPDATE exports.export_jobs SET admitted_at = created_at")
        connection.commit()
    places = jobs.places_of(database, ids, limits=WIDE, now=NOW)
    claimed = [job.id for job in jobs.claim_launches(database, by="test", limits=WIDE, now=NOW)]
    assert [places[job_id].position for job_id in claimed] == list(range(1, len(ids) + 1))
    assert jobs.places_of(database, ids, limits=WIDE, now=NOW) == {}


def test_a_place_says_what_the_job_waits_for(database: Database) -> None:
    user, other = add_user(database), add_user(database)
    limits = Limits(total=3, per_user=2)
    running = [add_job(database, user_id=user).id for _ in range(2)]
    jobs.claim_launches(database, by="test", limits=limits, now=NOW)
    mine, theirs = add_job(database, user_id=user), add_job(database, user_id=other, now=later(seconds=1))

    def places() -> dict[str, tuple[int, WaitsFor]]:
        found = jobs.places_of(database, [*running, mine.id, theirs.id], limits=limits, now=later(minutes=1))
        return {job_id: (place.position, place.waits_for) for job_id, place in found.items()}

    assert places() == {mine.id: (2, WaitsFor.OWN_JOBS), theirs.id: (1, WaitsFor.LAUNCH)}
    add_job(database, user_id=other, now=NOW)
    jobs.claim_launches(database, by="test", limits=limits, now=later(minutes=1))
    assert places()[theirs.id] == (1, WaitsFor.ROOM)


def test_a_job_whose_worker_was_lost_waits_for_its_time_behind_the_others(database: Database) -> None:
    lost, other = add_job(database), add_job(database)
    assert jobs.put_back(database, lost, launch_after=later(seconds=30), now=NOW)
    found = jobs.places_of(database, [lost.id, other.id], limits=WIDE, now=NOW)
    assert (found[lost.id].position, found[lost.id].waits_for) == (2, WaitsFor.ITS_TIME)
    found = jobs.places_of(database, [lost.id], limits=WIDE, now=later(seconds=31))
    assert found[lost.id].waits_for is WaitsFor.LAUNCH
