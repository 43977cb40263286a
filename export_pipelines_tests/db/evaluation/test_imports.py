"""Imports: all or nothing, and what is stored says again what the file said."""

import threading
from dataclasses import replace

import pytest

from export_pipelines.core.definitions import DefinitionContent, Dimension, Level
from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.core.imports import ImportedDefinition, ImportedScenario, ImportedScenarios
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, imports, scenarios, tags
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW

FILE = ImportedDefinition(
    name="Bridge: a toll",
    base_id="scenario_Bridge__a_toll",
    category="community",
    tags=("community",),
    content=DefinitionContent(
        preamble="Read.", template="[Freedom]",
        dimensions=(Dimension(name="Freedom", levels=(Level(score=1, label="Low"),)),),
    ),
)  # fmt: skip
PROMPTS = ImportedScenarios(
    preamble="Read it twice.",
    scenarios=(
        ImportedScenario(
            key="scenario_002_Freedom2", body="Second.\r\n", base_id="scenario_002", category="A_vs_B",
            subject="Bridge - 2", dimensions={"Freedom": 2},
        ),
        ImportedScenario(key="scenario_001_Freedom1", body="First."),
    ),
)  # fmt: skip


def test_an_imported_definition_is_stored_with_its_tags(database: Database) -> None:
    made = imports.import_definition(database, FILE, now=NOW)

    assert (made.name, made.parent_id) == ("Bridge: a toll", None)
    assert definitions.resolved_content(database, made.id) == FILE.content
    assert [tag.name for tag in tags.of_definition(database, made.id)] == ["community"]


def test_a_taken_name_is_refused_with_both_ways_out(database: Database) -> None:
    first = imports.import_definition(database, FILE, now=NOW)

    with pytest.raises(ConflictError, match=f"--fork-of {first.id} .*--rename"):
        imports.import_definition(database, FILE, now=NOW)

    assert len(definitions.list_all(database)) == 1


def test_the_name_of_a_deleted_definition_is_free(database: Database) -> None:
    first = imports.import_definition(database, FILE, now=NOW)
    definitions.delete(database, first.id, now=LATER)

    assert imports.import_definition(database, FILE, now=LATER).name == first.name


def test_a_fork_may_keep_the_name_and_holds_all_fields_itself(database: Database) -> None:
    parent = samples.definition(database, FILE.name)

    made = imports.import_definition(database, FILE, fork_of=parent.id[:20], now=NOW)

    assert (made.parent_id, made.name) == (parent.id, FILE.name)
    resolved = definitions.resolved_content(database, made.id)
    assert resolved.matching_rules == ""
    assert resolved.preamble == "Read."


def test_a_base_id_that_followed_from_the_old_name_survives_the_new_one(database: Database) -> None:
    made = imports.import_definition(database, FILE, rename="Ferry", now=NOW)

    assert made.name == "Ferry"
    assert definitions.resolved_content(database, made.id).base_id == "scenario_Bridge__a_toll"


def test_a_new_name_that_is_taken_is_refused_too(database: Database) -> None:
    samples.definition(database, "Ferry")

    with pytest.raises(ConflictError, match="'Ferry'"):
        imports.import_definition(database, FILE, rename="Ferry", now=NOW)


def test_an_unknown_parent_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(NotFoundError, match="no definition"):
        imports.import_definition(database, FILE, fork_of="cnothing", now=NOW)

    assert definitions.list_all(database) == ()


def test_a_definition_that_cannot_be_stored_whole_is_not_stored_at_all(database: Database) -> None:
    with pytest.raises(ValidationError):
        imports.import_definition(database, replace(FILE, tags=("community", "a\x00b")), now=NOW)

    assert definitions.list_all(database) == ()
    assert tags.list_all(database) == ()


def test_of_two_imports_of_one_name_at_once_one_is_refused(database: Database) -> None:
    refused: list[ConflictError] = []
    ready = threading.Barrier(2)

    def work() -> None:
        ready.wait()
        try:
            imports.import_definition(database, FILE, now=NOW)
        except ConflictError as error:
            refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(refused) == 1
    assert len(definitions.list_all(database)) == 1


def test_scenarios_without_a_definition_get_one_that_holds_their_preamble(database: Database) -> None:
    made = imports.import_scenarios(database, PROMPTS, name="bridge", now=NOW)

    assert definitions.get(database, made.definition_id).name == "bridge"
    assert definitions.resolved_content(database, made.definition_id) == DefinitionContent(preamble="Read it twice.")
    assert scenarios.count_for_definition(database, made.definition_id) == 2


def test_imported_scenarios_keep_every_field_and_the_order_of_the_file(database: Database) -> None:
    made = imports.import_scenarios(database, PROMPTS, name="bridge", now=NOW)

    stored = scenarios.list_for_definition(database, made.definition_id)

    assert tuple(item.id for item in stored) == made.scenario_ids
    assert [item.name for item in stored] == ["scenario_002_Freedom2", "scenario_001_Freedom1"]
    assert stored[0].content == ScenarioContent(
        prompt="Second.\r\n", dimensions={"Freedom": 2}, preamble="Read it twice.",
        subject="Bridge - 2", category="A_vs_B", base_id="scenario_002",
    )  # fmt: skip


def test_scenarios_are_added_to_a_definition_named_by_a_person(database: Database) -> None:
    owner = samples.definition(database, "Bridge")
    kept = samples.scenario(database, owner.id, "scenario_000_Freedom1")

    made = imports.import_scenarios(database, PROMPTS, definition_id="Bridge", now=LATER)

    assert made.definition_id == owner.id
    assert {item.id for item in scenarios.list_for_definition(database, owner.id)} == {kept.id, *made.scenario_ids}


def test_scenarios_that_are_there_already_stop_the_whole_import(database: Database) -> None:
    owner = samples.definition(database)
    samples.scenario(database, owner.id, "scenario_001_Freedom1")

    with pytest.raises(ConflictError, match="scenario_001_Freedom1"):
        imports.import_scenarios(database, PROMPTS, definition_id=owner.id, now=NOW)

    assert scenarios.count_for_definition(database, owner.id) == 1


def test_deleted_scenarios_do_not_stand_in_the_way(database: Database) -> None:
    owner = samples.definition(database)
    old = samples.scenario(database, owner.id, "scenario_001_Freedom1")
    scenarios.delete(database, old.id, now=LATER)

    made = imports.import_scenarios(database, PROMPTS, definition_id=owner.id, now=LATER)

    assert len(made.scenario_ids) == 2


def test_a_taken_name_for_the_scenarios_definition_is_refused(database: Database) -> None:
    samples.definition(database, "bridge")

    with pytest.raises(ConflictError, match="--definition-id"):
        imports.import_scenarios(database, PROMPTS, name="bridge", now=NOW)


def test_one_scenario_that_cannot_be_stored_stops_all(database: Database) -> None:
    broken = replace(PROMPTS, scenarios=(*PROMPTS.scenarios, ImportedScenario(key="nul", body="a\x00b")))

    with pytest.raises(ValidationError):
        imports.import_scenarios(database, broken, name="bridge", now=NOW)

    assert definitions.list_all(database) == ()


def test_ten_thousand_scenarios_come_in_within_seconds(database: Database) -> None:
    many = replace(
        PROMPTS,
        scenarios=tuple(ImportedScenario(key=f"scenario_{number:05}", body="x" * 300) for number in range(10_000)),
    )

    made = imports.import_scenarios(database, many, name="many", now=NOW)

    assert len(made.scenario_ids) == 10_000
    assert scenarios.count_for_definition(database, made.definition_id) == 10_000
