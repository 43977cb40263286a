"""Whoever is to be told stands in the outbox from the moment that the job has ended, and not a moment before."""

from typing import Any

import pytest
from sqlalchemy import text

from export_pipelines.core.deliveries import Delivery, DeliveryEvent, DeliveryRequest, DeliveryState
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import deliveries, jobs
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import add_job, later, stored_file

TOLD = DeliveryRequest(recipients=("ada@example.org", "webhook:hook", "ada@example.org"))


def processing(database: Database, delivery: DeliveryRequest | None = TOLD) -> ExportJob:
    return jobs.claim(database, add_job(database, delivery=delivery).id, dagster_run_id="r", now=later(minutes=1))


def complete(database: Database, job: ExportJob, **fields: Any) -> ExportJob:
    stored = stored_file(jobs.ref_of(job), **fields)
    return jobs.complete(database, stored, url="https://x/t", expires_at=later(hours=24), now=later(minutes=9))


def fail(database: Database, job: ExportJob, error: str = "no rows") -> None:
    jobs.fail(database, job_id=job.id, attempt=None, error=error, now=later(minutes=5))


def outbox(database: Database) -> list[Delivery]:
    return sorted(deliveries.list_deliveries(database), key=lambda delivery: delivery.recipient)


def test_a_completed_job_has_one_pending_delivery_for_each_recipient(database: Database) -> None:
    job = processing(database)
    assert outbox(database) == []
    complete(database, job)
    mail, hook = outbox(database)
    assert (mail.recipient, hook.recipient) == ("ada@example.org", "webhook:hook")
    assert (mail.job_id, mail.event, mail.attempt) == (job.id, DeliveryEvent.COMPLETED, 1)
    assert (mail.state, mail.tries, mail.next_try_at) == (DeliveryState.PENDING, 0, later(minutes=9))
    assert mail.id != hook.id
    assert mail.data == {
        "job_id": job.id,
        "type": "BULK_CSV",
        "title": "Title",
        "status": "COMPLETED",
        "attempt": 1,
        "file_name": "file.csv",
        "size": 5_000_000_000,
        "rows": 7,
        "checksum": "ab" * 32,
        "expires_at": later(hours=24).isoformat(),
        "error": None,
    }


def test_what_was_told_of_a_failure_stays_when_a_retry_has_cleared_it_from_the_row(database: Database) -> None:
    job = processing(database)
    fail(database, job, "the disk is full")
    again = jobs.reopen(database, job.id, dagster_run_id="r2", now=later(minutes=6), new_attempt=False)
    complete(database, again)
    told = {(delivery.event, delivery.data["error"]) for delivery in outbox(database)}
    assert told == {(DeliveryEvent.FAILED, "the disk is full"), (DeliveryEvent.COMPLETED, None)}
    assert len(outbox(database)) == 4


def test_nothing_is_told_twice_of_one_end_of_one_attempt(database: Database) -> None:
    job = processing(database)
    complete(database, job)
    complete(database, job)
    assert len(outbox(database)) == 2
    other = processing(database)
    fail(database, other)
    fail(database, other)
    jobs.reopen(database, other.id, dagster_run_id="r2", now=later(minutes=6), new_attempt=False)
    fail(database, other)
    assert len(outbox(database)) == 4
    jobs.reopen(database, other.id, dagster_run_id="r3", now=later(minutes=7), new_attempt=True)
    fail(database, other)
    assert len(outbox(database)) == 6


def test_nobody_is_told_of_a_job_without_recipients_or_of_one_that_was_cancelled(database: Database) -> None:
    complete(database, processing(database, None))
    jobs.cancel(database, processing(database).id, now=later(minutes=2))
    assert outbox(database) == []


def test_an_end_that_is_not_written_leaves_no_message(database: Database) -> None:
    job = processing(database)
    with database.transaction() as session:
        session.execute(text("ALTER TABLE exports.export_deliveries ADD CHECK (recipient <> 'webhook:hook')"))
    with pytest.raises(Exception, match="refuses the change"):
        complete(database, job)
    assert jobs.get(database, job.id).status is JobStatus.PROCESSING
    assert outbox(database) == []


@pytest.mark.parametrize(
    "delivery",
    ['"ada@example.org"', "[]", "{}", '{"recipients": 3}', '{"recipients": [1, null, ""]}', '{"to": "x"}', "7"],
)
def test_a_request_that_somebody_wrote_by_hand_does_not_keep_a_job_from_failing(
    database: Database, delivery: str
) -> None:
    job = add_job(database)
    with database.transaction() as session:
        statement = text("UPDATE exports.export_jobs SET input = input || jsonb_build_object('delivery', :d ::jsonb)")
        session.execute(statement, {"d": delivery})
    fail(database, job)
    assert jobs.get(database, job.id).status is JobStatus.FAILED
    assert outbox(database) == []
