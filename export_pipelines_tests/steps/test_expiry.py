"""Files end when they were said to: row first, file second, whoever dies in between."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from export_pipelines.core.errors import StoreUnavailableError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.steps.expiry import expire, overdue
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.sweep import sweep
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.orders import order


def exported(services: Services) -> ExportJob:
    return run_export(services, submit(services, order("DEFINITION_MD")).id)


def files(services: Services) -> list[str]:
    return [facts.key for facts in services.store.list("exports/")]


def actions(services: Services, job: ExportJob) -> list[str]:
    return [entry.action for entry in audit.list_for_job(services.database, job.id)]


def test_only_what_is_overdue_expires_and_only_once(services: Services, clock: Clock) -> None:
    first = exported(services)
    assert first.expires_at is not None
    clock.jump(hours=1)
    second = exported(services)
    clock.now = first.expires_at
    assert [job.id for job in overdue(services)] == [first.id]
    assert [(job.id, job.status) for job in expire(services)] == [(first.id, JobStatus.EXPIRED)]
    assert files(services) == [second.output_path, f"{second.output_path}.manifest.json"]
    assert list(expire(services)) == []
    assert actions(services, first)[-2:] == ["link_minted", "expired"]
    assert jobs.get(services.database, second.id).status is JobStatus.COMPLETED


def test_many_at_once_expire_each_job_once(services: Services, clock: Clock) -> None:
    made = {exported(services).id for _ in range(4)}
    clock.jump(hours=25)
    with ThreadPoolExecutor(4) as pool:
        expired = [job.id for done in pool.map(lambda _: tuple(expire(services)), range(4)) for job in done]
    assert sorted(expired) == sorted(made)
    assert files(services) == []


def test_a_file_whose_row_expired_just_before_the_process_died_is_found_by_the_sweep(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = exported(services)
    clock.jump(hours=25)

    def away(_: LocalStore, key: str) -> None:
        raise StoreUnavailableError("the store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "delete", away)
        with pytest.raises(StoreUnavailableError):
            list(expire(services))
    assert jobs.get(services.database, job.id).status is JobStatus.EXPIRED
    assert len(files(services)) == 2
    assert list(expire(services)) == []
    assert sweep(services).orphans == 0
    clock.jump(hours=2)
    assert sweep(services).orphans == 2
    assert files(services) == []
