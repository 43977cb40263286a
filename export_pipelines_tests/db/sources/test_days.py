"""The projection of a day: every transcript that was created on it, whichever run it is of."""

from datetime import UTC, datetime, timedelta

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources.days import read_day
from export_pipelines_tests.db.binary import read_tuples
from export_pipelines_tests.db.rows import NOW, add_definition, add_run, add_scenario, add_transcript

DAY = f"{NOW:%Y-%m-%d}"
BEGIN = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def read(database: Database, day: str = DAY):
    with open_snapshot(database) as snapshot:
        source = read_day(snapshot, day, {})
        return source, read_tuples(snapshot.copy(source.sql, source.params), source.columns)


def test_the_day_begins_and_ends_at_midnight_utc_and_deleted_things_are_left_out(database: Database) -> None:
    definition = add_definition(database)
    scenario = add_scenario(database, definition)
    runs = [add_run(database, definition) for _ in range(2)]
    gone = add_run(database, definition, deleted_at=NOW)
    wanted = [
        add_transcript(database, run, scenario, created_at=at)
        for run in runs
        for at in (BEGIN, NOW, BEGIN + timedelta(days=1) - TICK)
    ]
    for at in (BEGIN - TICK, BEGIN + timedelta(days=1)):
        add_transcript(database, runs[0], scenario, created_at=at)
    add_transcript(database, gone, scenario)
    add_transcript(database, runs[0], scenario, deleted_at=NOW)
    source, rows = read(database)
    assert {row["id"] for row in rows} == set(wanted)
    assert source.counted_rows == len(rows) == 6
    assert source.context["runs"] == dict.fromkeys(runs, definition)
    assert source.context["scenarios"] == {
        scenario: {"id": scenario, "name": "S", "dimensions": {"A": 1}, "prompt": "Prompt of S"}
    }


def test_the_order_is_by_run_then_as_in_an_export_of_the_run(database: Database) -> None:
    definition = add_definition(database)
    scenarios = [add_scenario(database, definition) for _ in range(2)]
    runs = [add_run(database, definition) for _ in range(3)]
    for model in ("b:é", "B:e", "a:z"):
        for scenario in scenarios:
            for run in reversed(runs):
                add_transcript(database, run, scenario, model)
    _, rows = read(database)
    keys = [
        tuple(row[name].encode() for name in ("run_id", "target_model", "scenario_id", "id")) for row in rows
    ]  # fmt: skip
    assert keys == sorted(keys)
    assert len(keys) == 18


def test_a_day_without_transcripts_is_empty_and_one_that_is_not_over_is_refused(database: Database) -> None:
    assert read(database)[1] == []
    with pytest.raises(ValidationError, match="not over yet"):
        read(database, f"{datetime.now(UTC):%Y-%m-%d}")
