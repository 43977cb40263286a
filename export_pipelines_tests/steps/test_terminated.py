"""What is left of a job whose run somebody terminated: nothing that no row wants."""

from dataclasses import replace
from pathlib import Path

import pytest

from export_pipelines.core.errors import StoreUnavailableError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import jobs
from export_pipelines.steps import export
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.terminated import cancel_terminated
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.orders import order


@pytest.fixture
def published(services: Services, monkeypatch: pytest.MonkeyPatch) -> ExportJob:
    """A job whose worker was interrupted between file and row."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    job = submit(services, order("BULK_CSV"))
    monkeypatch.setattr(export, "record", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_export(services, job.id)
    monkeypatch.undo()
    assert len(files(services)) == 2
    return jobs.get(services.database, job.id)


def files(services: Services) -> list[str]:
    return [found.key for found in services.store.list("exports/")]


def test_a_file_that_was_published_but_not_recorded_goes_with_its_sidecar_and_no_other(
    services: Services, published: ExportJob
) -> None:
    other = run_export(services, submit(services, order("DEFINITION_MD")).id)
    assert cancel_terminated(services, published).status is JobStatus.CANCELLED
    assert len(files(services)) == 2
    assert other.output_path in files(services)
    assert cancel_terminated(services, published).status is JobStatus.CANCELLED


def test_a_job_that_had_completed_before_keeps_its_file(services: Services) -> None:
    job = run_export(services, submit(services, order("BULK_CSV")).id)
    assert cancel_terminated(services, job) == job
    assert job.output_path in files(services)


def test_a_store_that_is_away_keeps_no_job_from_its_end(
    services: Services, published: ExportJob, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Away(LocalStore):
        def delete(self, key: str) -> None:
            raise StoreUnavailableError(f"{key} cannot be reached.")

    away = replace(services, store=Away(tmp_path / "store"))
    assert cancel_terminated(away, published).status is JobStatus.CANCELLED
    assert f"left to the sweep job={published.id}" in caplog.text
