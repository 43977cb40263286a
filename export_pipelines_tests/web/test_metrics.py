"""``/metrics`` as Prometheus reads it: truthful, bounded, cheap, and there when a database is not."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.failure_reasons import FailureReason
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs, metrics
from export_pipelines.db.database import Database
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.db.rows import NOW, add_job, add_processing
from export_pipelines_tests.web.site import Site, site

LABELS = ("type", "status", "reason", "quantile", "code", "state")
Values = dict[tuple[str, ...], float]


def scraped(site: Site) -> dict[str, Values]:
    """Values by label values, by name; the process's own figures left out."""
    answer = site.http.get("/metrics")
    assert answer.status_code == 200
    found: dict[str, Values] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name.startswith("export_pipelines_"):
                name = sample.name.removeprefix("export_pipelines_")
                labels = tuple(sample.labels[label] for label in LABELS if label in sample.labels)
                found.setdefault(name, {})[labels] = sample.value
    return found


def later(site: Site) -> dict[str, Values]:
    site.clock.go_on(seconds=6)
    return scraped(site)


def test_jobs_are_counted_by_type_and_status_and_nothing_vanishes(local_site: Site) -> None:
    local_site.publish()
    add_job(local_site.database)
    counted = scraped(local_site)["jobs"]
    assert (counted["BULK_CSV", "COMPLETED"], counted["BULK_CSV", "PENDING"]) == (1, 1)
    assert (counted["BULK_CSV", "FAILED"], counted["AUDIT_JSONL", "EXPIRED"]) == (0, 0)
    assert sum(counted.values()) == 2


def test_the_queue_is_as_old_as_the_job_that_waits_longest(local_site: Site) -> None:
    assert scraped(local_site)["queue_oldest_age_seconds"] == {(): 0}
    for minutes in (1, 5, 3):
        add_job(local_site.database, now=NOW - timedelta(minutes=minutes))
    assert later(local_site)["queue_oldest_age_seconds"] == {(): 306}


def test_what_was_completed_in_the_last_day_has_counts_bytes_and_quantiles(local_site: Site) -> None:
    local_site.publish(b"x" * 100)
    made = local_site.publish(b"y" * 50)
    with local_site.database.transaction() as session:
        took = "UPDATE exports.export_jobs SET started_at = completed_at - interval '9 s' WHERE id = :id"
        session.execute(text(took), {"id": made.job.id})
    found = scraped(local_site)
    assert (found["completed_last_day"], found["completed_bytes_last_day"]) == (
        {("BULK_CSV",): 2},
        {("BULK_CSV",): 150},
    )
    assert found["duration_seconds"]["BULK_CSV", "0.5"] == pytest.approx(4.5)
    assert found["stored_bytes"] == {("BULK_CSV",): 150}
    local_site.clock.go_on(hours=25)
    jobs.expire(local_site.database, made.job.id, now=local_site.clock.now)
    found = scraped(local_site)
    assert "completed_last_day" not in found
    assert found["stored_bytes"] == {("BULK_CSV",): 100}


def test_failures_are_counted_by_reason(local_site: Site) -> None:
    errors = ("the worker died without a word", "strict was asked for, but", "strict was asked for, and", "who knows")
    for error in errors:
        job, _ = add_processing(local_site.database, dagster_run_id=None)
        jobs.fail(local_site.database, job_id=job.id, attempt=1, error=error, now=NOW)
    assert scraped(local_site)["failed_last_day"] == {
        ("BULK_CSV", "worker_lost"): 1,
        ("BULK_CSV", "fidelity"): 2,
        ("BULK_CSV", "other"): 1,
    }


def test_rows_that_say_anything_make_no_series_of_their_own(local_site: Site) -> None:
    job = add_job(local_site.database)
    insert = (
        "INSERT INTO exports.export_jobs (id, user_id, type, input) "
        "SELECT 'cany' || n, :user, 'MADE_UP_' || n, '{}' FROM generate_series(1, 500) n"
    )
    with local_site.database.transaction() as session:
        session.execute(text(insert), {"user": job.user_id})
    counted = scraped(local_site)["jobs"]
    assert counted["other", "PENDING"] == 500
    # Those of the catalog, and one for all others.
    assert len({type_ for type_, _ in counted}) == len(EXPORT_TYPES) + 1


def test_refused_links_are_all_counted_though_few_are_audited(local_site: Site) -> None:
    for number in range(5):
        local_site.http.get(f"/downloads/forged{number}")
    assert scraped(local_site)["links_refused_total"] == {("link-forged",): 5}
    assert later(local_site)["audit_rows"] == {(): 1}
    assert scraped(local_site)["audit_unsigned_rows"] == {(): 1}


def test_scrapes_that_follow_each_other_ask_the_database_once(
    local_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []
    read = metrics.read

    def counted(database: Database, *, now: datetime) -> metrics.Figures:
        asked.append(now)
        return read(database, now=now)

    monkeypatch.setattr(metrics, "read", counted)
    for _ in range(3):
        scraped(local_site)
    later(local_site)
    assert len(asked) == 2


def test_a_database_that_is_away_is_told_and_no_secret_with_it(tmp_path: Path) -> None:
    database = Database("postgresql://nobody:hunter2@127.0.0.1:9/none")
    with site(database, LocalStore(tmp_path)) as running:
        found = scraped(running)
        assert "hunter2" not in running.http.get("/metrics").text
    assert (found["database_up"], found["dagster_database_up"]) == ({(): 0}, {(): 0})
    assert "jobs" not in found


def test_openmetrics_is_spoken_where_it_is_asked_for(local_site: Site) -> None:
    local_site.publish()
    answer = local_site.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    names = {family.name for family in read_openmetrics(answer.text)}
    assert {"export_pipelines_jobs", "export_pipelines_links_refused", "process_cpu_seconds"} <= names


def test_deliveries_are_counted_where_there_are_any(local_site: Site) -> None:
    assert "deliveries_last_day" not in scraped(local_site)
    with local_site.database.transaction() as session:
        session.execute(text("DROP TABLE IF EXISTS exports.export_deliveries CASCADE"))
        session.execute(text("CREATE TABLE exports.export_deliveries (state text, created_at timestamptz)"))
        rows = "INSERT INTO exports.export_deliveries VALUES ('SENT', :now), ('SENT', :now), ('DEAD', :now)"
        session.execute(text(rows), {"now": NOW})
    assert later(local_site)["deliveries_last_day"] == {("DEAD",): 1, ("SENT",): 2}


def test_labels_are_few() -> None:
    assert len(FailureReason) <= 10
    assert len(JobStatus) <= 10
