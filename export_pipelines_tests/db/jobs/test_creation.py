"""Making a job out of a request."""

import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ContentError, ValidationError
from export_pipelines.core.jobs import ExportRequest, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job, add_user


def test_a_new_job_is_pending_and_gives_its_request_back(database: Database) -> None:
    options = {"strict": False, "allow_partial": True, "profile": "flat", "nested": {"b": [1, 2.5, None], "a": "ü🙂"}}
    request = ExportRequest(
        type="RUN_BUNDLE",
        subject_id="crun",
        user_id=add_user(database),
        expiry_hours=168,
        options=dict(sorted(options.items())),
        title="Überschrift — 標題",
        delivery=DeliveryRequest(recipients=("a@example.org", "webhook:team"), attach_file=True),
    )
    job = jobs.create(database, request, now=NOW, dagster_run_id="run-1")
    assert (job.status, job.attempt, job.progress_percent, job.download_count) == (JobStatus.PENDING, 1, 0, 0)
    assert (job.created_at, job.updated_at, job.started_at, job.dagster_run_id) == (NOW, NOW, None, "run-1")
    assert jobs.request_of(job) == request
    assert list(jobs.request_of(job).options) == sorted(options)
    assert jobs.get(database, job.id) == job


def test_the_input_has_the_documented_shape(database: Database) -> None:
    job = add_job(database, subject_id="c1", options={"profile": "flat"}, expiry_hours=3)
    assert job.input == {"subject_id": "c1", "expiry_hours": 3, "options": {"profile": "flat"}}


def test_a_row_whose_input_somebody_else_wrote_is_an_error_that_names_it(database: Database) -> None:
    job = add_job(database)
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("""UPDATE exports.export_jobs SET input = '{"runId": "c1"}'""")
    with pytest.raises(ContentError, match=job.id):
        jobs.request_of(jobs.get(database, job.id))


def test_creation_is_audited_with_who_asked(database: Database) -> None:
    user = add_user(database)
    own = add_job(database, user_id=user)
    (entry,) = audit.list_for_job(database, own.id)
    assert (entry.action, entry.at, entry.actor) == ("created", NOW, audit.Actor(user_id=user))
    assert entry.data == {"type": "BULK_CSV"}


def test_a_job_for_a_user_that_is_not_there_leaves_nothing(database: Database) -> None:
    with pytest.raises(ValidationError, match="users"):
        add_job(database, user_id="cnobody")
    assert jobs.list_jobs(database) == ()


def test_a_type_is_a_matter_of_the_catalog_but_has_a_shape(database: Database) -> None:
    assert add_job(database, type="NEW_TYPE_2").type == "NEW_TYPE_2"
    with pytest.raises(ValidationError, match="type_shape"):
        add_job(database, type="../x")
