"""Rows for tests of the database layer, each with as little as it needs."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from export_pipelines.core.evaluation import RunStatus
from export_pipelines.core.frozen import StagedObject, StoredFile
from export_pipelines.core.ids import new_id
from export_pipelines.core.jobs import ExportJob, ExportRequest, JobRef
from export_pipelines.core.progress import Phase, Report
from export_pipelines.core.schedules import Schedule, ScheduleRequest
from export_pipelines.core.subscriptions import NewSubscription, RunsOf, Subscription
from export_pipelines.db import jobs, schedules, subscriptions
from export_pipelines.db.database import Database
from export_pipelines.db.tables import Base, Definition, Run, Scenario, Tag, Transcript, User

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FULL = {"schema_version": 1, "preamble": "P", "template": "T [A]", "dimensions": [], "matching_rules": ""}


def later(**by: float) -> datetime:
    return NOW + timedelta(**by)


def add(database: Database, row: Base) -> str:
    """Insert the row; its id."""
    with database.transaction() as session:
        session.add(row)
        session.flush()
        return str(row.id)  # type: ignore[attr-defined]


def add_user(database: Database, email: str = "") -> str:
    return add(database, User(email=email or f"{new_id()}@example.org", password_hash="hash"))


def add_definition(database: Database, name: str = "Kidney Allocation", **fields: Any) -> str:
    return add(database, Definition(name=name, **{"content": FULL, **fields}))


def add_tag(database: Database, name: str) -> str:
    return add(database, Tag(name=name))


def add_scenario(database: Database, definition_id: str, name: str = "S", **fields: Any) -> str:
    content = {"schema_version": 1, "prompt": f"Prompt of {name}", "dimensions": {"A": 1}}
    return add(database, Scenario(definition_id=definition_id, name=name, **{"content": content, **fields}))


def add_run(database: Database, definition_id: str, **fields: Any) -> str:
    values = {"name": "Run", "status": RunStatus.COMPLETED, "config": {}, "created_at": NOW, **fields}
    return add(database, Run(definition_id=definition_id, **values))


def add_transcript(
    database: Database,
    run_id: str,
    scenario_id: str,
    model: str = "openai:gpt-4.1",
    content: Mapping[str, Any] | None = None,
    **fields: Any,
) -> str:
    values = {"created_at": NOW, **fields}
    return add(
        database,
        Transcript(run_id=run_id, scenario_id=scenario_id, target_model=model, content=content, **values),
    )


def add_job(database: Database, *, user_id: str | None = None, now: datetime = NOW, **fields: Any) -> ExportJob:
    """A PENDING job."""
    values = {"type": "BULK_CSV", "subject_id": "c1", "options": {"profile": "flat"}, "title": "Title", **fields}
    request = ExportRequest(user_id=user_id or add_user(database), **values)
    return jobs.create(database, request, now=now)


def add_schedule(database: Database, *, name: str = "nightly", now: datetime = NOW, **fields: Any) -> Schedule:
    """An active schedule, due two hours and a half after ``now``."""
    values = {
        "user_id": add_user(database) if "user_id" not in fields else "",
        "type": "BULK_CSV",
        "input": {"subject_id": "c1", "expiry_hours": 24, "options": {"profile": "flat"}, "title": ""},
        "cron_pattern": "30 2 * * *",
        "timezone": "Europe/Berlin",
        **fields,
    }
    request = ScheduleRequest(name=name, **values)
    return schedules.add(database, request, next_run=now + timedelta(hours=2.5), now=now)


def add_processing(database: Database, *, dagster_run_id: str | None = "run-1") -> tuple[ExportJob, JobRef]:
    """A job that is being worked on, and its fence."""
    job = jobs.claim(database, add_job(database).id, dagster_run_id=dagster_run_id, now=NOW)
    return job, jobs.ref_of(job)


def add_subscription(database: Database, *, now: datetime = NOW, **fields: Any) -> Subscription:
    """A subscription to all runs."""
    values: dict[str, Any] = {"name": new_id(), "runs_of": RunsOf.ALL, "subject_id": None, "type": "BULK_CSV", **fields}
    owner = values.pop("user_id", None) or add_user(database)
    return subscriptions.add(database, NewSubscription(user_id=owner, **values), now=now)


def at_percent(percent: int) -> Report:
    """A report that brings the job to this percent."""
    return Report(phase=Phase(name="working", begin=percent, end=percent), message="working")


def stored_file(ref: JobRef, *, sha256: str = "ab" * 32, **fields: Any) -> StoredFile:
    values: dict[str, Any] = {
        "key": f"{ref.final_prefix}/file.csv",
        "manifest_key": f"{ref.final_prefix}/file.csv.manifest.json",
        "url": "file:///store/file.csv",
        "size": 5_000_000_000,
        "record_count": 7,
        "media_type": "text/csv",
        "fidelity": (),
        "partial": False,
        "local_path": None,
        **fields,
    }
    return StoredFile(job=ref, sha256=sha256, **values)


def staged(key: str = "staging/x", sha256: str = "cd" * 32) -> StagedObject:
    return StagedObject(key=key, size=3_000_000_000, sha256=sha256)
