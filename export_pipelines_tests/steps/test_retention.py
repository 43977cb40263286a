"""What nobody needs goes, after its grace period; whatever somebody may need stays."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import StoreUnavailableError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import jobs, leases
from export_pipelines.db.jobs import ref_of
from export_pipelines.steps import retention
from export_pipelines.steps.begin import begin
from export_pipelines.steps.export import run_export
from export_pipelines.steps.retention import disposable, remove
from export_pipelines.steps.services import Services
from export_pipelines.steps.staging import stage
from export_pipelines.steps.submit import submit
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.orders import order


def exported(services: Services) -> ExportJob:
    return run_export(services, submit(services, order("DEFINITION_MD")).id)


def begun(services: Services) -> ExportJob:
    """A job that is being processed and has published its file, but not recorded it yet."""
    job = begin(services, submit(services, order("BULK_CSV")).id, dagster_run_id=None)
    for suffix in ("", ".manifest.json"):
        stage(services.store, f"{ref_of(job).final_prefix}/file.csv{suffix}", b"data")
    return job


def orphans(services: Services) -> list[tuple[str, str]]:
    return [(found.key.rpartition("/")[2], found.reason) for found in disposable(services) if found.orphaned]


def delete_row(services: Services, job: ExportJob) -> None:
    with services.database.transaction() as session:
        session.execute(text("DELETE FROM exports.export_jobs WHERE id = :id"), {"id": job.id})


def test_a_wanted_file_stays_for_as_long_as_its_row_says(services: Services, clock: Clock) -> None:
    exported(services)
    clock.jump(hours=23)
    list(remove(services))
    assert len(list(services.store.list("exports/"))) == 2
    assert orphans(services) == []


def test_a_file_without_a_row_goes_after_the_grace_period(services: Services, clock: Clock) -> None:
    exported(services)
    job = exported(services)
    delete_row(services, job)
    assert orphans(services) == []
    clock.jump(hours=2)
    assert [reason for _, reason in orphans(services)] == ["its job's row is gone"] * 2
    assert len([found for found in remove(services) if found.orphaned]) == 2
    assert len(list(services.store.list("exports/"))) == 2


def test_a_file_that_its_own_row_does_not_name_goes(services: Services, clock: Clock) -> None:
    job = exported(services)
    stage(services.store, f"{ref_of(job).final_prefix}/other.md", b"data")
    clock.jump(hours=2)
    assert orphans(services) == [("other.md", "its job has another file")]


def test_a_file_that_is_about_to_be_recorded_stays_however_long_that_takes(services: Services, clock: Clock) -> None:
    job = begun(services)
    clock.jump(hours=20)
    assert orphans(services) == []
    jobs.cancel(services.database, job.id, now=clock())
    assert orphans(services) == []
    clock.jump(hours=2)
    assert orphans(services) == [(name, "its job is CANCELLED") for name in ("file.csv", "file.csv.manifest.json")]


def test_a_failed_job_that_somebody_takes_up_again_keeps_its_file(services: Services, clock: Clock) -> None:
    job = begun(services)
    jobs.fail(services.database, job_id=job.id, attempt=1, error="x", now=clock())
    clock.jump(hours=2)
    assert len(orphans(services)) == 2
    with leases.hold(services.database, job.id):
        assert [found for found in remove(services) if found.orphaned] == []
    found = retention.remove(services)
    jobs.reopen(services.database, job.id, dagster_run_id=None, new_attempt=False, now=clock())
    assert [one for one in found if one.orphaned] == []
    assert len(list(services.store.list("exports/"))) == 2


def test_what_is_no_export_of_ours_is_left_alone(services: Services, clock: Clock) -> None:
    exported(services)
    for key in ("exports/readme.txt", "exports/a/b/c/d.txt", "other/x.txt"):
        stage(services.store, key, b"data")
    clock.jump(hours=2)
    assert orphans(services) == []


def test_a_database_without_jobs_says_nothing_about_files(services: Services, clock: Clock) -> None:
    job = exported(services)
    delete_row(services, job)
    clock.jump(hours=2)
    assert orphans(services) == []


def test_looking_first_shows_exactly_what_goes_and_changes_nothing(services: Services, clock: Clock) -> None:
    exported(services)
    delete_row(services, exported(services))
    clock.jump(hours=2)
    before = sorted(facts.key for facts in services.store.list(""))
    shown = list(disposable(services))
    assert sorted(facts.key for facts in services.store.list("")) == before
    assert {found.orphaned for found in shown} == {True, False}
    assert list(remove(services)) == shown
    assert list(disposable(services)) == []


def test_many_files_are_looked_up_in_batches(services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    job = exported(services)
    path = services.store.local_path(job.output_path or "")
    assert path is not None
    for number in range(5):
        shutil.copytree(path.parent, Path(f"{path.parents[1]}/c{number}"))
    clock.jump(hours=2)
    assert len(orphans(services)) == 10


@pytest.mark.parametrize("where", ["staging_prefix", "final_prefix"])
def test_what_a_job_at_work_has_been_writing_for_long_is_not_swept_away_until_the_job_is_over(
    services: Services, clock: Clock, where: str
) -> None:
    job = begin(services, submit(services, order("BULK_CSV")).id, dagster_run_id=None)
    key = f"{getattr(ref_of(job), where)}/large"
    with services.store.writer(key) as writer:
        writer.write(b"half of it")
        clock.jump(hours=2)
        assert list(remove(services)) == []
    assert services.store.stat(key) is not None

    def write_for_nobody() -> None:
        with services.store.writer(f"{key}r"):
            jobs.cancel(services.database, job.id, now=services.clock())
            clock.jump(hours=2)
            list(remove(services))

    with pytest.raises(StoreUnavailableError, match="swept away"):
        write_for_nobody()
