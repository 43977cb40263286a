"""The projection of everything in a run's directory."""

from typing import Any

import pytest

from export_pipelines.core.errors import ContentError
from export_pipelines.core.evaluation import AnalysisStatus
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources.bundle import read_bundle
from export_pipelines.db.sources.source import Source
from export_pipelines.db.tables import AnalysisResult, DefinitionTag
from export_pipelines_tests.db.binary import read_tuples
from export_pipelines_tests.db.rows import (
    FULL,
    NOW,
    add,
    add_definition,
    add_run,
    add_scenario,
    add_tag,
    add_transcript,
    later,
)


def read(database: Database, run_id: str) -> tuple[Source, list[dict[str, Any]]]:
    with open_snapshot(database) as snapshot:
        source = read_bundle(snapshot, run_id, {})
        return source, read_tuples(snapshot.copy(source.whole, source.params), source.columns)


def definition_of(database: Database, run_id: str) -> dict[str, Any]:
    definition: dict[str, Any] = read(database, run_id)[0].context["definition"]
    return definition


@pytest.fixture
def definition(database: Database) -> str:
    return add_definition(database, "Now", content={**FULL, "preamble": "now"})


def test_samples_count_the_transcripts_of_one_scenario_and_model(database: Database, definition: str) -> None:
    run = add_run(database, definition)
    scenarios = [add_scenario(database, definition, name) for name in "ab"]
    for number in range(3):
        for scenario in scenarios:
            for model in ("m:1", "m:2"):
                add_transcript(database, run, scenario, model, id=f"c{number}{scenario[1:]}{model[-1]}")
    add_transcript(database, run, scenarios[0], "m:1", id="c0", deleted_at=NOW)
    source, rows = read(database, run)
    keys = [(row["target_model"], row["scenario_id"], row["id"]) for row in rows]
    assert keys == sorted(keys)
    assert [row["sample"] for row in rows] == [1, 2, 3] * 4
    assert source.counted_rows == 12


def test_the_definition_is_todays_when_none_was_kept(database: Database, definition: str) -> None:
    tag = add_tag(database, "ethics")
    with database.transaction() as session:
        session.add(DefinitionTag(definition_id=definition, tag_id=tag))
    run = add_run(database, definition)
    add_transcript(database, run, add_scenario(database, definition))
    got = definition_of(database, run)
    assert (got["id"], got["name"], got["tags"], got["content"]["preamble"]) == (definition, "Now", ["ethics"], "now")


def test_the_definition_is_the_one_kept_with_the_first_transcript(database: Database, definition: str) -> None:
    config = {"definition_snapshot": {**FULL, "preamble": "configured"}}
    run = add_run(database, definition, config=config)
    scenario = add_scenario(database, definition)
    add_transcript(database, run, scenario, "a", id="c1")
    add_transcript(database, run, scenario, "b", id="c2", definition_snapshot={**FULL, "preamble": "second"})
    add_transcript(database, run, scenario, "a", id="c3", definition_snapshot={**FULL, "preamble": "third"})
    add_transcript(database, run, scenario, id="c0", definition_snapshot={**FULL, "preamble": "x"}, deleted_at=NOW)
    assert definition_of(database, run)["content"]["preamble"] == "second"


def test_the_definition_is_the_configured_one_when_no_transcript_kept_it(database: Database, definition: str) -> None:
    run = add_run(database, definition, config={"definition_snapshot": {**FULL, "preamble": "configured"}})
    got = definition_of(database, run)
    assert (got["name"], got["content"]["preamble"]) == ("Now", "configured")


def test_a_kept_definition_may_have_its_name_around_it(database: Database, definition: str) -> None:
    kept = {"id": "cx", "name": "Then", "content": {**FULL, "preamble": "then"}}
    run = add_run(database, definition, config={"definition_snapshot": kept})
    got = definition_of(database, run)
    assert (got["id"], got["name"], got["content"]["preamble"]) == (definition, "Then", "then")


def test_a_sparse_kept_definition_inherits(database: Database, definition: str) -> None:
    child = add_definition(database, "Child", parent_id=definition, content={"schema_version": 2, "preamble": "child"})
    run = add_run(database, child, config={"definition_snapshot": {"schema_version": 2, "template": "kept"}})
    content = definition_of(database, run)["content"]
    assert (content["preamble"], content["template"]) == ("now", "kept")


def test_a_kept_definition_of_an_unknown_version_is_an_error(database: Database, definition: str) -> None:
    run = add_run(database, definition, config={"definition_snapshot": {"schema_version": 12}})
    with pytest.raises(ContentError, match=definition):
        read(database, run)


def test_scenarios_come_as_configured_then_by_name(database: Database, definition: str) -> None:
    a, b, c, d, unused = (add_scenario(database, definition, name) for name in ("a", "b", "c", "d", "unused"))
    deleted = add_scenario(database, definition, "0", deleted_at=NOW)
    run = add_run(database, definition, config={"scenario_ids": [d, "cgone", b, d]})
    for scenario in (c, a, deleted):
        add_transcript(database, run, scenario)
    source, _ = read(database, run)
    assert [row["id"] for row in source.context["scenarios"]] == [d, b, deleted, a, c]
    assert unused not in {row["id"] for row in source.context["scenarios"]}
    assert source.context["scenarios"][0] == {
        "id": d,
        "name": "d",
        "content": {"schema_version": 1, "prompt": "Prompt of d", "dimensions": {"A": 1}},
    }


def test_models_come_as_configured_then_sorted_with_the_version_that_answered(
    database: Database, definition: str
) -> None:
    run = add_run(database, definition, config={"models": ["z:z", {"id": "y:y"}, 5]})
    scenario = add_scenario(database, definition)
    for model, version in (("b:b", "2"), ("b:b", "1"), ("b:b", None), ("z:z", "9"), ("B:b", None)):
        add_transcript(database, run, scenario, model, model_version=version)
    source, _ = read(database, run)
    assert source.context["models"] == [
        {"id": "z:z", "model_version": "9"},
        {"id": "y:y", "model_version": None},
        {"id": "B:b", "model_version": None},
        {"id": "b:b", "model_version": "1"},
    ]


def test_current_analyses_come_by_type(database: Database, definition: str) -> None:
    run = add_run(database, definition)
    for type_, status in (("zeta", "CURRENT"), ("basic", "SUPERSEDED"), ("basic", "CURRENT")):
        add(
            database,
            AnalysisResult(
                run_id=run,
                analysis_type=type_,
                input_hash="h",
                code_version="1.2",
                output={"status": status},
                status=AnalysisStatus(status),
                created_at=later(hours=1),
            ),
        )
    source, _ = read(database, run)
    entry = {
        "output": {"status": "CURRENT"},
        "input_hash": "h",
        "code_version": "1.2",
        "created_at": "2026-03-01T13:00:00Z",
    }
    assert source.context["analysis"] == [{"type": "basic", **entry}, {"type": "zeta", **entry}]


def test_a_run_without_transcripts_is_a_bundle_without_rows(database: Database, definition: str) -> None:
    source, rows = read(database, add_run(database, definition))
    assert (rows, source.counted_rows) == ([], 0)
    assert (source.context["scenarios"], source.context["models"], source.context["analysis"]) == ([], [], [])
    assert set(source.context) == {"run", "definition", "scenarios", "models", "analysis"}
