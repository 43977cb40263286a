"""Trying again: what failed goes on, what was cancelled or has expired is asked for once more."""

from datetime import timedelta

import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.tables import ExportJobRow
from export_pipelines.steps.admit import admit
from export_pipelines.steps.export import run_export
from export_pipelines_tests.web.api_site import ApiSite


def path(job_id: str) -> str:
    return f"/api/exports/{job_id}/retry"


def test_a_failed_job_is_taken_up_again_and_can_be_carried_out(api: ApiSite) -> None:
    job = api.job(JobStatus.FAILED)
    answer = api.owner.post(path(job.id), headers={"Idempotency-Key": "k"})
    again = answer.json()
    assert (answer.status_code, again["id"], again["retry_of"]) == (202, job.id, None)
    assert (again["status"], again["queue_position"], again["error"]) == ("PROCESSING", 1, None)
    assert api.owner.post(path(job.id), headers={"Idempotency-Key": "k"}).headers["idempotent-replayed"] == "true"
    assert api.owner.post(path(job.id)).status_code == 409
    assert run_export(api.services, job.id).status is JobStatus.COMPLETED


@pytest.mark.parametrize("status", [JobStatus.CANCELLED, JobStatus.EXPIRED])
def test_what_has_no_file_any_more_is_made_anew_of_the_same_input(api: ApiSite, status: JobStatus) -> None:
    job = api.job(status)
    made = api.clients["administrator"].post(path(job.id)).json()
    new = jobs.get(api.services.database, made["id"])
    assert (made["retry_of"], new.status, new.user_id) == (job.id, JobStatus.PENDING, api.people["owner"])
    assert (new.input, new.title) == (job.input, job.title)
    [entry] = audit.list_for_job(api.services.database, new.id)
    assert entry.data["retry_of"] == job.id
    assert entry.actor.user_id == api.people["administrator"]


def test_a_file_whose_time_is_over_is_made_anew_before_the_sweep_has_come(api: ApiSite) -> None:
    job = api.job(JobStatus.COMPLETED)
    with api.services.database.transaction() as session:
        row = session.get_one(ExportJobRow, job.id)
        row.completed_at = row.created_at - timedelta(days=2)
        row.expires_at = row.completed_at + timedelta(days=1)
    assert api.owner.get(f"/api/exports/{job.id}/download").status_code == 410
    answer = api.owner.post(path(job.id))
    assert (answer.status_code, answer.json()["retry_of"]) == (202, job.id)
    assert jobs.get(api.services.database, job.id).status is JobStatus.COMPLETED


def test_what_is_not_over_or_has_its_file_is_no_case_for_it(api: ApiSite) -> None:
    for status in (JobStatus.PENDING, JobStatus.PROCESSING, JobStatus.COMPLETED):
        answer = api.owner.post(path(api.job(status).id))
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert str(status) in answer.json()["detail"]


def test_a_request_that_was_refused_and_is_still_wrong_is_refused_again(api: ApiSite) -> None:
    with api.services.database.raw_connection() as connection:
        connection.execute(
            "INSERT INTO exports.export_jobs (id, user_id, type, input)"
            " VALUES ('cwrong', %s, 'BULK_CSV', '{\"run_id\": \"none\"}')",
            [api.people["owner"]],
        )
        connection.commit()
    assert admit(api.services) == ("cwrong",)
    answer = api.owner.post(path("cwrong"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert "There is no run" in answer.json()["detail"]
    assert api.owner.get("/api/exports/cwrong").json()["status"] == "FAILED"


def test_only_the_owner_and_administrators_may(api: ApiSite) -> None:
    job = api.job(JobStatus.CANCELLED)
    api.share(job)
    assert api.clients["viewer"].post(path(job.id)).status_code == 403
    assert api.clients["other"].post(path(job.id)).status_code == 404
    assert api.clients["nobody"].post(path(job.id)).status_code == 401
