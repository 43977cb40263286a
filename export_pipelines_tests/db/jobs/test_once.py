"""Creating requests are counted exactly, and made once for each key, however many ask at the same time."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from export_pipelines.core.errors import ConflictError, KeyReusedError, TooManyRequestsError, ValidationError
from export_pipelines.core.jobs import ExportRequest, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.database import Database
from export_pipelines.db.jobs import Asking, Made
from export_pipelines.db.repeats import RequestKey
from export_pipelines_tests.db.rows import NOW, add_job, add_user, later

AT_ONCE = 12


def asking(user_id: str, *, key: str | None = None, fingerprint: str = "f", most: int = 100) -> Asking:
    wanted = None if key is None else RequestKey(text=key, fingerprint=fingerprint)
    return Asking(user_id=user_id, actor=audit.Actor(user_id=user_id, address="10.0.0.1"), key=wanted, most=most)


def create(database: Database, who: Asking, *, now: datetime = NOW) -> Made:
    request = ExportRequest(type="BULK_CSV", subject_id="c1", user_id=who.user_id, options={}, title="T")
    return jobs.create_once(database, request, who, now=now)


@contextmanager
def as_processes(database: Database) -> Iterator[Callable[[Callable[[Database], object]], list[object]]]:
    """Do a thing many times at once, over the pools of two processes; what came of each."""
    others = [Database(database.url), Database(database.url)]

    def all_at_once(do: Callable[[Database], object]) -> list[object]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda number: do(others[number % 2]), range(AT_ONCE)))

    yield all_at_once
    for other in others:
        other.close()


def counts(database: Database) -> dict[str, int]:
    tables = ("export_jobs", "idempotency_keys", "counted_requests", "export_audit_logs")
    with database.raw_connection() as connection:
        return {table: connection.execute(f"SELECT count(*) FROM exports.{table}").fetchone()[0] for table in tables}  # type: ignore[index]


def test_of_many_requests_at_once_exactly_as_many_as_may_make_a_job(database: Database) -> None:
    user = add_user(database)

    def ask(through: Database) -> str:
        try:
            return create(through, asking(user, most=5)).job.status
        except TooManyRequestsError:
            return "refused"

    with as_processes(database) as all_at_once:
        assert Counter(all_at_once(ask)) == {JobStatus.PENDING: 5, "refused": AT_ONCE - 5}
    assert counts(database) == {
        "export_jobs": 5, "idempotency_keys": 0, "counted_requests": 5, "export_audit_logs": 5
    }  # fmt: skip
    assert create(database, asking(add_user(database), most=5))


def test_of_many_requests_with_one_key_at_once_one_makes_the_job_that_all_get(database: Database) -> None:
    user = add_user(database)
    with as_processes(database) as all_at_once:
        made = all_at_once(lambda through: create(through, asking(user, key="k")))
    assert len({each.job.id for each in made}) == 1  # type: ignore[attr-defined]
    assert Counter(each.replayed for each in made) == {True: AT_ONCE - 1, False: 1}  # type: ignore[attr-defined]
    assert set(counts(database).values()) == {1}


def test_the_refused_are_told_when_there_is_room_and_then_there_is(database: Database) -> None:
    who = asking(add_user(database), most=2)
    for at in (NOW, later(minutes=20)):
        create(database, who, now=at)
    with pytest.raises(TooManyRequestsError, match="2 exports") as refused:
        create(database, who, now=later(minutes=50, microseconds=1))
    assert refused.value.retry_after == 600
    free = later(minutes=50, microseconds=1) + timedelta(seconds=refused.value.retry_after)
    assert create(database, who, now=free)
    with pytest.raises(TooManyRequestsError):
        create(database, who, now=free)
    assert counts(database)["counted_requests"] == 2


def test_a_key_is_free_again_after_a_day_and_never_another_users(database: Database) -> None:
    user, other = add_user(database), add_user(database)
    first = create(database, asking(user, key="k"))
    assert create(database, asking(other, key="k", fingerprint="other")).job.id != first.job.id
    late = create(database, asking(user, key="k"), now=later(hours=23, minutes=59))
    assert (late.job.id, late.replayed) == (first.job.id, True)
    with pytest.raises(KeyReusedError, match="choose a new key"):
        create(database, asking(user, key="k", fingerprint="other"), now=later(hours=1))
    assert not create(database, asking(user, key="k", fingerprint="other"), now=later(hours=24)).replayed
    assert counts(database)["idempotency_keys"] == 1


def test_a_deleted_job_is_not_made_again_by_repeating_its_request(database: Database) -> None:
    who = asking(add_user(database), key="k")
    job = create(database, who).job
    jobs.cancel(database, job.id, now=NOW)
    jobs.delete(database, job.id, now=NOW)
    with pytest.raises(ConflictError, match="was deleted; ask again with a new key"):
        create(database, who)


def test_nothing_is_counted_or_remembered_of_a_request_that_fails(database: Database) -> None:
    user = add_user(database)
    request = ExportRequest(type="no type", subject_id="c1", user_id=user, options={}, title="T")
    with pytest.raises(ValidationError, match="type_shape"):
        jobs.create_once(database, request, asking(user, key="k"), now=NOW)
    assert set(counts(database).values()) == {0}


def test_a_failed_job_waits_again_under_its_next_run_key(database: Database) -> None:
    job = add_job(database)
    failed = jobs.fail(database, job_id=job.id, attempt=None, error="over", now=NOW)
    assert failed
    who = asking(job.user_id, key="k")
    again = jobs.requeue_once(database, failed, jobs.request_of(failed), who, now=later(minutes=1)).job
    assert (again.status, again.run_key, again.error, again.waits) == (JobStatus.PROCESSING, f"{job.id}-2", None, True)
    [claimed] = jobs.claim_launches(
        database, by="test", limits=jobs.Limits(total=1, per_user=1), now=later(minutes=2)
    )  # fmt: skip
    assert claimed.id == job.id
    entry = audit.list_for_job(database, job.id)[-1]
    assert (entry.action, entry.data["attempt"], entry.actor.address) == ("retried", 1, "10.0.0.1")
    with pytest.raises(ConflictError, match="moved on"):
        jobs.requeue_once(database, failed, jobs.request_of(failed), asking(job.user_id), now=later(minutes=1))
