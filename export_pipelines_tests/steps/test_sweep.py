"""The sweep brings rows and store in order, and touches nothing that somebody still needs."""

from dataclasses import replace

import pytest

from export_pipelines.catalog.types import export_type
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs, leases
from export_pipelines.db.database import Database
from export_pipelines.steps.begin import begin
from export_pipelines.steps.export import run_export
from export_pipelines.steps.load import load
from export_pipelines.steps.services import Services
from export_pipelines.steps.staging import stage
from export_pipelines.steps.submit import submit
from export_pipelines.steps.sweep import sweep
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.orders import order


def test_a_file_whose_time_is_over_is_removed_and_its_job_expired(services: Services, clock: Clock) -> None:
    job = run_export(services, submit(services, order("DEFINITION_MD")).id)
    assert sweep(services).expired == ()
    clock.jump(hours=24, seconds=1)
    assert sweep(services).expired == (job.id,)
    assert jobs.get(services.database, job.id).status is JobStatus.EXPIRED
    assert list(services.store.list("exports/")) == []
    assert sweep(services).expired == ()


def test_staging_of_finished_jobs_is_removed_after_the_grace_period_only(services: Services, clock: Clock) -> None:
    run_export(services, submit(services, order("BULK_CSV")).id)
    assert sweep(services).objects == 0
    clock.jump(hours=2)
    assert sweep(services).objects > 0
    assert list(services.store.list("staging/")) == []


def test_a_job_whose_worker_is_silent_and_gone_goes_on_twice_and_then_fails_with_the_way_out(
    services: Services, clock: Clock
) -> None:
    job = begin(services, submit(services, order("BULK_CSV")).id, dagster_run_id=None)
    clock.jump(minutes=1)
    assert sweep(services).lost == ()
    clock.jump(minutes=2)
    with leases.hold(services.database, job.id):
        assert sweep(services).lost == ()
    for wait in (30, 90):
        assert sweep(services).lost == (job.id,)
        back = jobs.get(services.database, job.id)
        assert (back.status, back.waits) == (JobStatus.PROCESSING, True)
        assert back.launch_after is not None
        assert round((back.launch_after - clock.now).total_seconds()) == wait
        clock.jump(hours=1)
        assert sweep(services).lost == ()
        begin(services, job.id, dagster_run_id=None)
        clock.jump(minutes=3)
    assert sweep(services).lost == (job.id,)
    failed = jobs.get(services.database, job.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert "This happened 3 times." in failed.error
    assert f"jobs retry {job.id}" in failed.error


def test_a_silent_job_that_somebody_takes_up_while_the_sweep_looks_is_left_to_him(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begin(services, submit(services, order("BULK_CSV")).id, dagster_run_id=None)
    load(services, export_type("BULK_CSV"), job)
    clock.jump(minutes=3)
    is_held = leases.is_held

    def looked_a_moment_too_early(database: Database, job_id: str) -> bool:
        held = is_held(database, job_id)
        begin(services, job_id, dagster_run_id=None)
        return held

    monkeypatch.setattr(leases, "is_held", looked_a_moment_too_early)
    assert sweep(services).lost == ()
    after = jobs.get(services.database, job.id)
    assert (after.status, after.attempt, after.launch, after.waits) == (JobStatus.PROCESSING, 1, 1, False)


def test_a_failed_job_keeps_its_staging_for_the_grace_period_so_that_a_retry_can_use_it(
    services: Services, clock: Clock
) -> None:
    job = begin(services, submit(services, order("BULK_CSV")).id, dagster_run_id=None)
    load(services, export_type("BULK_CSV"), job)
    clock.jump(minutes=3)
    sweep(services)
    assert run_export(services, job.id).attempt == 1


def test_a_file_whose_worker_died_before_it_could_record_it_is_removed_when_nobody_continues_the_job(
    services: Services, clock: Clock
) -> None:
    from export_pipelines.steps.package import package
    from export_pipelines.steps.render import render
    from export_pipelines.steps.upload import upload

    completed = run_export(services, submit(services, order("RUN_BUNDLE")).id)
    type_ = export_type("BULK_CSV")
    job = begin(services, submit(services, order("BULK_CSV")).id, dagster_run_id=None)
    frozen = load(services, type_, job)
    parts = [render(services, type_, task) for task in frozen.tasks()]
    left_over = upload(services, package(services, type_, frozen, parts))
    clock.jump(minutes=3)
    final = replace(services, settings=replace(services.settings, max_resumes=0))
    assert sweep(final).lost == (job.id,)
    clock.jump(minutes=50)
    sweep(services)
    assert services.store.stat(left_over.key) is not None
    clock.jump(minutes=20)
    sweep(services)
    assert completed.output_path is not None
    kept = [completed.output_path, f"{completed.output_path}.manifest.json"]
    assert [facts.key for facts in services.store.list("")] == kept


def test_a_file_that_an_interrupted_sweep_left_behind_its_expired_job_is_removed_by_the_next(
    services: Services, clock: Clock
) -> None:
    job = run_export(services, submit(services, order("DEFINITION_MD")).id)
    clock.jump(hours=25)
    jobs.expire(services.database, job.id, now=clock())
    clock.jump(hours=2)
    assert sweep(services).expired == ()
    assert list(services.store.list("exports/")) == []


def test_files_of_jobs_that_this_database_does_not_know_are_left_alone(services: Services, clock: Clock) -> None:
    foreign = ["exports/somebody/c0mwxllwf1clt2q22jp6m48d9/file.csv", "exports/readme.txt"]
    for key in foreign:
        stage(services.store, key, b"another deployment's")
    clock.jump(hours=200)
    sweep(services)
    assert [facts.key for facts in services.store.list("exports/")] == foreign[::-1]


def test_what_passes_between_the_steps_of_a_long_run_is_kept_until_no_job_can_need_it(
    services: Services, clock: Clock
) -> None:
    record = "staging/dagster/some-run/load_run/frozen.json"
    job = begin(services, submit(services, order("BULK_CSV")).id, dagster_run_id="some-run")
    stage(services.store, record, b"{}")
    clock.jump(hours=5)
    with leases.hold(services.database, job.id):
        assert sweep(services).objects == 0
    jobs.cancel(services.database, job.id, now=clock())
    assert sweep(services).objects == 1
    assert services.store.stat(record) is None


def test_a_file_that_was_being_published_when_its_process_died_is_removed(services: Services, clock: Clock) -> None:
    root = services.settings.home / "store"
    left_over = root / ".incomplete" / "exports" / "user" / "job" / "file.csv.0123456789abcdef"
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"half of it")
    sweep(services)
    assert left_over.exists()
    clock.jump(hours=2)
    sweep(services)
    assert not left_over.exists()
