"""Which runs may be exported, and what is known of them."""

from datetime import datetime, timedelta, timezone

import pytest

from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources.runs import RunFacts, instant, read_run
from export_pipelines_tests.db.rows import NOW, add_definition, add_run, add_scenario, add_transcript, later

UNFINISHED = [status for status in RunStatus if status is not RunStatus.COMPLETED]


def read(database: Database, run_id: str, **options: object) -> RunFacts:
    with open_snapshot(database) as snapshot:
        return read_run(snapshot, run_id, options)


def test_the_facts_of_a_completed_run(database: Database) -> None:
    definition = add_definition(database, "Definition")
    config = {"models": ["b", "a"], "temperature": 0.7, "nested": {"ü": None}}
    run = add_run(
        database, definition, name="First", config=config, started_at=later(seconds=1), completed_at=later(seconds=2.5)
    )
    scenario = add_scenario(database, definition)
    add_transcript(database, run, scenario)
    add_transcript(database, run, scenario, deleted_at=NOW)
    assert read(database, run) == RunFacts(
        run={
            "id": run,
            "name": "First",
            "status": "COMPLETED",
            "created_at": "2026-03-01T12:00:00Z",
            "started_at": "2026-03-01T12:00:01Z",
            "completed_at": "2026-03-01T12:00:02.500000Z",
            "config": config,
        },
        definition={"id": definition, "name": "Definition"},
        counted_rows=1,
        partial=False,
    )


@pytest.mark.parametrize("status", UNFINISHED)
def test_a_run_that_is_not_finished_is_exported_only_when_asked_for(database: Database, status: RunStatus) -> None:
    run = add_run(database, add_definition(database), status=status)
    with pytest.raises(ValidationError, match=f"is {status} and not COMPLETED"):
        read(database, run)
    with pytest.raises(ValidationError, match="allow_partial=true"):
        read(database, run, allow_partial=False)
    assert read(database, run, allow_partial=True).partial


def test_a_finished_run_is_not_partial_even_where_that_was_allowed(database: Database) -> None:
    run = add_run(database, add_definition(database))
    assert not read(database, run, allow_partial=True).partial


def test_a_deleted_or_unknown_run_is_not_found(database: Database) -> None:
    deleted = add_run(database, add_definition(database), deleted_at=NOW)
    with pytest.raises(NotFoundError, match="is deleted"):
        read(database, deleted)
    with pytest.raises(NotFoundError, match="does not exist"):
        read(database, "cnothing", allow_partial=True)


def test_a_run_outlives_its_definitions_deletion(database: Database) -> None:
    definition = add_definition(database, deleted_at=NOW)
    assert read(database, add_run(database, definition, name=None)).run["name"] is None


def test_an_instant_is_utc_whatever_zone_it_came_in() -> None:
    moment = datetime(2026, 1, 1, 3, 15, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert instant(moment) == "2025-12-31T21:30:00Z"
    assert instant(None) is None
