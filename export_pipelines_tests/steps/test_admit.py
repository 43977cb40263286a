"""Rows that plain SQL inserts: let into the queue as if a person had typed them, or FAILED with the reason."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.evaluation.lookup import find_user
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.admit import admit
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services

FLAT = {"allow_partial": False, "compression": "none", "profile": "flat", "strict": False}


def insert(services: Services, type_name: str, given: Any, **columns: Any) -> ExportJob:
    values = {"type": type_name, "input": json.dumps(given), **columns}
    values["user_id"] = find_user(services.database, DEMO_USER_EMAIL).id
    names, places = ", ".join(values), ", ".join(["%s"] * len(values))
    statement = f"INSERT INTO exports.export_jobs ({names}) VALUES ({places}) RETURNING id"
    with services.database.raw_connection() as connection:
        row = connection.execute(statement.encode(), list(values.values())).fetchone()
        connection.commit()
    assert row is not None
    return jobs.get(services.database, row[0])


def test_a_row_with_the_least_that_is_needed_gets_every_default_its_size_and_its_audit_entry(
    services: Services,
) -> None:
    job = insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID, "options": {"profile": "flat"}})
    assert job.admitted_at is None
    assert admit(services) == ()
    admitted = jobs.get(services.database, job.id)
    assert admitted.input == {"subject_id": SHOWCASE_RUN_ID, "expiry_hours": 24, "options": FLAT}
    assert admitted.size_hint
    assert admitted.admitted_at
    assert admitted.title.startswith("Transcripts")
    [entry] = audit.list_for_job(services.database, job.id)
    assert (entry.action, entry.at) == ("created", job.created_at)
    assert admit(services) == ()
    assert run_export(services, job.id).status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("type_name", "given", "columns", "named"),
    [
        ("BULK_XML", {"subject_id": SHOWCASE_RUN_ID}, {}, "BULK_CSV"),
        ("BULK_CSV", {}, {}, "run"),
        ("BULK_CSV", {"subject_id": "c0nosuchrun"}, {}, "c0nosuchrun"),
        ("BULK_CSV", {"subject_id": SHOWCASE_DEFINITION_ID}, {}, "definition"),
        ("BULK_CSV", {"subject_id": 7}, {}, "subject_id is 7"),
        ("BULK_CSV", {"subject_id": SHOWCASE_RUN_ID, "options": {"profile": "wide"}}, {}, "summary, flat"),
        ("BULK_CSV", {"subject_id": SHOWCASE_RUN_ID, "options": ["flat"]}, {}, "must be an object"),
        ("BULK_CSV", {"subject_id": SHOWCASE_RUN_ID, "expiry_hours": 1000}, {}, "1 to 168"),
        ("BULK_CSV", {"subject_id": SHOWCASE_RUN_ID, "expiry_hours": True}, {}, "whole number"),
        ("BULK_CSV", {"runId": SHOWCASE_RUN_ID}, {}, "'runId', but takes subject_id"),
        ("BULK_CSV", {"subject_id": SHOWCASE_RUN_ID, "delivery": {"to": "x"}}, {}, "recipients"),
        ("BULK_CSV", {"subject_id": SHOWCASE_RUN_ID, "delivery": {"recipients": [None]}}, {}, "list of texts"),
        ("BULK_CSV", {"day": "2026-04-15"}, {}, "run_id"),
        ("BULK_CSV", {"subject_id": SHOWCASE_RUN_ID}, {"id": "../../etc"}, "leave it out"),
        ("BULK_CSV", {"subject_id": "c0nosuchrun"}, {"size_hint": 1, "admitted_at": "now"}, "c0nosuchrun"),
    ],
)
def test_a_row_that_cannot_be_exported_is_failed_with_the_reason(
    services: Services, type_name: str, given: Any, columns: dict[str, Any], named: str
) -> None:
    job = insert(services, type_name, given, **columns)
    assert admit(services) == (job.id,)
    failed = jobs.get(services.database, job.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert named in failed.error
    assert actions(services, job) == ["created", "failed"]


@pytest.mark.parametrize(
    ("type_name", "given"),
    [("BULK_DAY_JSONL", {"day": "2026-04-15"}), ("AUDIT_JSONL", {"positions": "1-"}), ("AUDIT_JSONL", {})],
)
def test_every_type_takes_what_it_is_of_by_the_name_that_it_has_on_the_command_line(
    services: Services, type_name: str, given: Any
) -> None:
    run_export(services, insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID}).id)
    job = insert(services, type_name, given)
    assert admit(services) == ()
    assert run_export(services, job.id).status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("given", "columns", "ends"),
    [
        ({"options": {"profile": "x" * 10**6}}, {}, "takes one of summary, flat."),
        ({"options": {"x" * 10**6: 1}}, {}, "takes allow_partial, compression, profile, strict."),
        ({"x" * 10**6: 1}, {}, "options, delivery."),
        ({"expiry_hours": "x" * 10**6}, {}, "must be a whole number."),
        ({"delivery": {"recipients": ["x" * 10**6 + "@example.org"]}}, {}, "too long"),
        ({}, {"id": "x" * 1000}, "leave it out and one is made."),
    ],
)
def test_however_long_what_is_wrong_the_reason_is_short_and_says_what_is_right(
    services: Services, given: Any, columns: dict[str, Any], ends: str
) -> None:
    job = insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID, **given}, **columns)
    assert admit(services) == (job.id,)
    error = jobs.get(services.database, job.id).error
    assert error is not None
    assert ends in error
    assert len(error) < 500


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("input", '{"options": ' + "[" * 5000 + "]" * 5000 + "}"),
        ("input", '{"expiry_hours": 1e5000}'),
        ("fidelity", "[" * 5000 + "]" * 5000),
        ("created_at", "infinity"),
        ("created_at", "-infinity"),
        ("updated_at", "0044-03-15 BC"),
        ("launch_after", "20000-01-01"),
        ("bytes_per_second", "NaN"),
    ],
)
def test_a_row_that_nobody_could_read_is_refused_so_that_the_others_go_on(
    services: Services, column: str, value: str
) -> None:
    other = insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID})
    columns = {"input": '{"run_id": "@latest"}', column: value}
    names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO exports.export_jobs (user_id, type, {names}) VALUES (%s, 'BULK_CSV', {places})"
    with pytest.raises(ValidationError) as refused, services.database.raw_connection(autocommit=True) as plain:
        plain.execute(statement.encode(), [other.user_id, *columns.values()])
    assert re.search("_(is|are)_(readable|finite)", str(refused.value))
    assert admit(services) == ()
    [job] = jobs.list_jobs(services.database)
    assert job.admitted_at is not None


def test_a_row_that_states_a_size_and_that_it_was_looked_at_is_looked_at_all_the_same(services: Services) -> None:
    job = insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID}, size_hint=0, admitted_at="2026-01-01")
    assert (job.size_hint, job.admitted_at) == (0, None)
    limits = jobs.Limits(total=5, per_user=5)
    assert jobs.claim_launches(services.database, by="test", limits=limits, now=services.clock()) == ()
    assert admit(services) == ()
    assert actions(services, job) == ["created"]
    # Its size is the one that was counted.
    [claimed] = jobs.claim_launches(services.database, by="test", limits=limits, now=services.clock())
    assert (claimed.id, claimed.size_hint) == (job.id, 96)


def test_what_a_row_states_of_its_future_is_forgotten_when_it_is_looked_at(services: Services) -> None:
    long_ago = dict.fromkeys(("started_at", "completed_at", "launch_after", "claimed_at"), "1950-01-01")
    figures = {"record_count": 7, "download_count": 7, "rows_done": 7, "progress_percent": 7, "fidelity": "[7]"}
    texts = {"claimed_by": "me", "error": "mine", "output_path": "../../etc", "output_url": "http://mine"}
    job = insert(
        services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID}, expires_at="1950-01-02", **long_ago, **figures, **texts
    )
    assert admit(services) == ()
    after, unstated = jobs.get(services.database, job.id), insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID})
    names = (*long_ago, *figures, *texts, "expires_at")
    assert {name: getattr(after, name) for name in names} == {name: getattr(unstated, name) for name in names}
    done = run_export(services, job.id)
    assert done.started_at is not None
    assert done.started_at.year > 1950


def test_a_row_that_somebody_begins_before_the_queue_has_looked_at_it_is_looked_at_first(services: Services) -> None:
    job = insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID})
    assert run_export(services, job.id).status is JobStatus.COMPLETED
    assert actions(services, job) == ["created", "started", "completed", "link_minted"]
    wrong = insert(services, "BULK_CSV", {"run_id": "c0nosuchrun"})
    with pytest.raises(ValidationError, match=f"job {wrong.id} is FAILED: .*c0nosuchrun"):
        run_export(services, wrong.id)
    assert actions(services, wrong) == ["created", "failed"]


def test_a_row_that_is_cancelled_before_anybody_has_looked_at_it_has_its_first_audit_entry_too(
    services: Services,
) -> None:
    by_us = insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID})
    by_sql = insert(services, "BULK_CSV", {"run_id": SHOWCASE_RUN_ID}, status="CANCELLED")
    now = datetime.now(UTC)
    jobs.cancel(services.database, by_us.id, now=now)
    assert jobs.audit_cancellations(services.database, now=now) == (by_sql.id,)
    assert actions(services, by_us) == actions(services, by_sql) == ["created", "cancelled"]


def actions(services: Services, job: ExportJob) -> list[str]:
    return [entry.action for entry in audit.list_for_job(services.database, job.id)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="\x00", codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "recipients"]), inner),
    max_leaves=4,
)
FIELDS = st.sampled_from(["subject_id", "run_id", "definition_id", "expiry_hours", "options", "delivery", "else"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=st.dictionaries(FIELDS, JSON | st.just(SHOWCASE_RUN_ID)), type_name=st.sampled_from(["BULK_CSV", "ODD"]))
def test_whatever_json_a_row_holds_it_is_admitted_or_failed_and_harms_no_other(
    services: Services, given: Any, type_name: str
) -> None:
    job = insert(services, type_name, given)
    refused = admit(services)
    assert jobs.unadmitted(services.database, limit=1) == ()
    after = jobs.get(services.database, job.id)
    assert (after.status is JobStatus.FAILED) == (job.id in refused)
    assert after.admitted_at is not None or after.error
