"""Finding jobs."""

import pytest
from sqlalchemy import update

from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.db.tables import ExportJobRow
from export_pipelines_tests.db.rows import NOW, add_job, add_processing, add_user, at_percent, later, stored_file


def rename(database: Database, job_id: str, new: str) -> None:
    with database.transaction() as session:
        session.execute(update(ExportJobRow).where(ExportJobRow.id == job_id).values(id=new))


def test_a_job_is_found_by_its_id_or_a_prefix_that_only_it_has(database: Database) -> None:
    for name in ("cabc1", "cabc12", "cabd"):
        rename(database, add_job(database).id, name)
    assert jobs.find(database, "cabd").id == "cabd"
    assert jobs.find(database, "cabc12").id == "cabc12"
    # A whole id wins over those that it begins.
    assert jobs.find(database, "cabc1").id == "cabc1"


def test_a_prefix_of_several_names_them(database: Database) -> None:
    for name in ("cabc1", "cabc2"):
        rename(database, add_job(database).id, name)
    with pytest.raises(ValidationError, match="cabc2, cabc1"):
        jobs.find(database, "cabc")


@pytest.mark.parametrize("text", ["cnothing", "", "%", "c_", "c%", "C1", "'; --", "x" * 1000, "c\x00", "\ud800"])
def test_what_is_no_jobs_id_is_not_found(database: Database, text: str) -> None:
    add_job(database)
    with pytest.raises(NotFoundError):
        jobs.find(database, text)


def test_getting_a_job_that_is_not_there_says_so(database: Database) -> None:
    with pytest.raises(NotFoundError, match="'cnothing'"):
        jobs.get(database, "cnothing")


def test_jobs_are_listed_newest_first_and_narrowed_down(database: Database) -> None:
    user = add_user(database)
    first = add_job(database, user_id=user, type="BULK_CSV", now=NOW)
    second = add_job(database, user_id=user, type="RUN_BUNDLE", now=later(hours=1))
    third = add_job(database, type="BULK_CSV", now=later(hours=2))
    jobs.cancel(database, third.id, now=later(hours=2))

    def listed(**wanted: object) -> list[str]:
        return [job.id for job in jobs.list_jobs(database, **wanted)]  # type: ignore[arg-type]

    assert listed() == [third.id, second.id, first.id]
    assert listed(limit=2) == [third.id, second.id]
    assert listed(type="BULK_CSV") == [third.id, first.id]
    assert listed(user_id=user) == [second.id, first.id]
    assert listed(user_id=user, type="BULK_CSV", status=JobStatus.PENDING) == [first.id]
    assert listed(status=JobStatus.CANCELLED) == [third.id]
    assert listed(status=JobStatus.FAILED) == []


def test_jobs_are_found_by_the_runs_that_work_on_them(database: Database) -> None:
    one, _ = add_processing(database, dagster_run_id="run-1")
    two, _ = add_processing(database, dagster_run_id="run-2")
    assert {job.id for job in jobs.find_by_dagster_runs(database, ["run-1", "run-2", "run-3"])} == {one.id, two.id}
    assert jobs.find_by_dagster_runs(database, ["run-3"]) == ()
    assert jobs.find_by_dagster_runs(database, []) == ()


def test_stale_are_those_at_work_that_were_not_heard_of(database: Database) -> None:
    silent, _ = add_processing(database)
    lively, ref = add_processing(database)
    add_job(database)
    jobs.report_progress(database, ref, at_percent(1), now=later(minutes=5))
    assert [job.id for job in jobs.stale(database, before=later(minutes=4))] == [silent.id]
    assert [job.id for job in jobs.stale(database, before=later(minutes=6))] == [silent.id, lively.id]
    assert jobs.stale(database, before=NOW) == ()


def test_expired_are_completed_jobs_whose_time_is_over(database: Database) -> None:
    ids = []
    for hours in (3, 1, 2):
        job, ref = add_processing(database)
        jobs.complete(database, stored_file(ref), url="u", expires_at=later(hours=hours), now=NOW)
        ids.append(job.id)
    add_processing(database)
    assert [job.id for job in jobs.expired_candidates(database, now=later(hours=2))] == [ids[1], ids[2]]
    assert jobs.expired_candidates(database, now=NOW) == ()
