"""Ending a job that comes to its own end just then."""

from dataclasses import replace
from datetime import datetime

import pytest

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.evaluation import users
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.end import Ending, end
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines_tests.steps.orders import order


def test_a_file_that_was_finished_meanwhile_is_not_deleted_by_who_wanted_to_stop_it(services: Services) -> None:
    job = submit(services, order("DEFINITION_MD"))
    owner = Caller(
        user=users.get(services.database, job.user_id), is_administrator=False, actor=audit.Actor(user_id=job.user_id)
    )

    def finishing() -> datetime:
        """The moment between looking at the job and cancelling it."""
        if jobs.get(services.database, job.id).status is JobStatus.PENDING:
            run_export(services, job.id)
        return services.clock()

    with pytest.raises(ConflictError, match="has become COMPLETED meanwhile; ask again to delete it"):
        end(replace(services, clock=finishing), owner, job.id)
    done = jobs.get(services.database, job.id)
    assert done.output_path is not None
    assert services.store.stat(done.output_path)
    assert end(services, owner, job.id).done is Ending.DELETED
