"""The projection of a definition's scenarios."""

import pytest

from export_pipelines.core.errors import ContentError, NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources.scenarios import read_scenarios
from export_pipelines.db.sources.source import Source
from export_pipelines_tests.db.binary import read_tuples
from export_pipelines_tests.db.rows import NOW, add_definition, add_scenario


def read(database: Database, definition_id: str) -> tuple[Source, list[dict[str, object]]]:
    with open_snapshot(database) as snapshot:
        source = read_scenarios(snapshot, definition_id, {})
        return source, read_tuples(snapshot.copy(source.whole, source.params), source.columns)


def test_rows_come_in_the_order_of_their_ids_compared_bytewise(database: Database) -> None:
    definition = add_definition(database)
    ids = ["cb", "cB", "ca_1", "ca-1", "ca", "c1"]
    for id_ in ids:
        add_scenario(database, definition, f"not {id_}", id=id_)
    source, rows = read(database, definition)
    assert [row["id"] for row in rows] == sorted(ids)
    assert [heading["id"] for heading in source.context["scenarios"]] == sorted(ids)
    assert source.counted_rows == len(rows) == 6


def test_the_context_has_what_decides_a_key(database: Database) -> None:
    definition = add_definition(database, "Freedom vs Harmony")
    content = {"prompt": "P", "dimensions": {"Freedom": 1, "Harmony": 2.5, "Tone": "mild"}}
    scenario = add_scenario(database, definition, "Best Man", content=content)
    source, rows = read(database, definition)
    assert source.context["scenarios"] == [
        {"id": scenario, "name": "Best Man", "dimensions": {"Freedom": 1, "Harmony": 2.5}, "preamble": None}
    ]
    assert source.context["definition"]["name"] == "Freedom vs Harmony"
    assert rows == [{"id": scenario, "name": "Best Man", "content": content}]


def test_deleted_scenarios_and_those_of_others_are_left_out(database: Database) -> None:
    definition, other = add_definition(database), add_definition(database)
    add_scenario(database, definition, "gone", deleted_at=NOW)
    add_scenario(database, other, "other")
    kept = add_scenario(database, definition, "kept")
    source, rows = read(database, definition)
    assert [row["id"] for row in rows] == [kept]
    assert source.counted_rows == 1


def test_a_definition_without_scenarios_says_that_they_come_first(database: Database) -> None:
    definition = add_definition(database, "Empty")
    add_scenario(database, definition, deleted_at=NOW)
    with pytest.raises(ValidationError, match="'Empty' has no scenarios yet; generate them first"):
        read(database, definition)


def test_an_unknown_definition_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError):
        read(database, "cnothing")


def test_a_scenario_that_cannot_be_read_is_named(database: Database) -> None:
    definition = add_definition(database)
    bad = add_scenario(database, definition, content={"schema_version": 7, "prompt": "P"})
    with pytest.raises(ContentError, match=bad):
        read(database, definition)
