"""Further links, and exports that end before their time."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import ConflictError, NotFoundError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import audit, jobs
from export_pipelines.db.seed import DEMO_USER_EMAIL
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.sharing import delete, share
from export_pipelines.steps.submit import submit
from export_pipelines.storage import links
from export_pipelines.storage.secret import link_secret
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.orders import order


@pytest.fixture
def job(services: Services) -> ExportJob:
    return run_export(services, submit(services, order("DEFINITION_MD")).id)


def history(services: Services, job: ExportJob) -> list[str]:
    return [entry.action for entry in audit.list_for_job(services.database, job.id)][4:]


def granted(services: Services, url: str) -> links.DownloadGrant:
    return links.read(link_secret(services.settings), url.rpartition("/")[2], now=services.clock())


def test_a_link_lives_as_long_as_the_file_or_less_and_names_whom_it_is_for(services: Services, job: ExportJob) -> None:
    assert job.expires_at is not None
    anybody = granted(services, share(services, job, person=None, hours=None))
    assert (anybody.job_id, anybody.person) == (job.id, None)
    assert job.expires_at - anybody.expires_at < timedelta(seconds=1)
    somebody = granted(services, share(services, job, person=DEMO_USER_EMAIL, hours=2))
    assert somebody.person == job.user_id
    assert somebody.expires_at < services.clock() + timedelta(hours=2)
    longest = granted(services, share(services, job, person=None, hours=100))
    assert longest.expires_at == anybody.expires_at
    assert history(services, job) == ["link_minted", "link_minted", "shared", "link_minted"]


def test_there_is_no_link_to_what_is_not_there_nor_for_nobody(services: Services, job: ExportJob, clock: Clock) -> None:
    with pytest.raises(NotFoundError):
        share(services, job, person="nobody@example.org", hours=None)
    waiting = submit(services, order("DEFINITION_MD"))
    with pytest.raises(ConflictError, match="is PENDING and has no file"):
        share(services, waiting, person=None, hours=None)
    clock.jump(hours=25)
    with pytest.raises(ConflictError, match="has no file to link to"):
        share(services, job, person=None, hours=None)
    assert history(services, job) == []


def test_a_deleted_job_leaves_its_history_alone(services: Services, job: ExportJob) -> None:
    delete(services, job)
    with pytest.raises(NotFoundError):
        jobs.get(services.database, job.id)
    assert list(services.store.list("exports/")) == []
    assert history(services, job) == ["deleted"]
    with pytest.raises(NotFoundError):
        delete(services, job)
    with services.database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM exports.export_shards")) == 0


def test_a_job_that_is_not_over_is_cancelled_first(services: Services) -> None:
    waiting = submit(services, order("DEFINITION_MD"))
    with pytest.raises(ConflictError, match="cancel it first"):
        delete(services, waiting)
    jobs.cancel(services.database, waiting.id, now=services.clock())
    delete(services, waiting)
    assert [entry.action for entry in audit.list_for_job(services.database, waiting.id)][-2:] == [
        "cancelled",
        "deleted",
    ]
