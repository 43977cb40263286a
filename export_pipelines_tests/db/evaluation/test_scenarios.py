"""Scenarios: create, read in every version, change, delete."""

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import ContentError, NotFoundError, ValidationError
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, scenarios
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW

WHOLE = ScenarioContent(
    prompt="  αυλή\r\n\u2028 ", dimensions={"Freedom": 1, "Harmony": 2.5, "Old": "low"},
    preamble="Read.", subject="A - B", category="A_vs_B", base_id="scenario_003",
)  # fmt: skip


def test_a_scenario_keeps_every_field_and_character(database: Database) -> None:
    owner = samples.definition(database)

    made = scenarios.create(database, definition_id=owner.id, name="scenario_003", content=WHOLE, now=NOW)

    assert made.content == WHOLE
    assert scenarios.get(database, made.id) == made


def test_old_content_without_a_version_is_read(database: Database) -> None:
    made = samples.scenario(database, samples.definition(database).id)
    with database.transaction() as session:
        session.execute(
            text(database.sql("UPDATE {evaluation}.scenarios SET content = jsonb_build_object('body', 'Old prompt.')"))
        )

    assert scenarios.get(database, made.id).content == ScenarioContent(prompt="Old prompt.")


def test_content_of_an_unknown_version_names_the_row(database: Database) -> None:
    made = samples.scenario(database, samples.definition(database).id)
    with database.transaction() as session:
        session.execute(
            text(database.sql("UPDATE {evaluation}.scenarios SET content = jsonb_build_object('schema_version', 7)"))
        )

    with pytest.raises(ContentError, match=f"scenario {made.id} has content of schema_version 7"):
        scenarios.list_for_definition(database, made.definition_id)


def test_deleted_scenarios_are_neither_listed_nor_counted(database: Database) -> None:
    owner = samples.definition(database)
    kept, gone = samples.scenario(database, owner.id, "one"), samples.scenario(database, owner.id, "two")

    scenarios.delete(database, gone.id, now=LATER)

    assert scenarios.list_for_definition(database, owner.id) == (kept,)
    assert scenarios.count_for_definition(database, owner.id) == 1
    with pytest.raises(NotFoundError, match="was deleted"):
        scenarios.get(database, gone.id)


def test_a_change_replaces_what_is_given_and_keeps_the_rest(database: Database) -> None:
    made = samples.scenario(database, samples.definition(database).id)

    renamed = scenarios.update_scenario(database, made.id, name="scenario_002", now=LATER)
    rewritten = scenarios.update_scenario(database, made.id, content=WHOLE, now=LATER)

    assert (renamed.name, renamed.content, renamed.updated_at) == ("scenario_002", made.content, LATER)
    assert (rewritten.name, rewritten.content) == ("scenario_002", WHOLE)


def test_a_scenario_needs_a_name_and_a_live_definition(database: Database) -> None:
    owner = samples.definition(database)
    with pytest.raises(ValidationError, match="name is empty"):
        samples.scenario(database, owner.id, " ")
    definitions.delete(database, owner.id, now=LATER)

    with pytest.raises(NotFoundError, match=r"definition .* was deleted"):
        samples.scenario(database, owner.id)


def test_a_prompt_with_a_nul_character_is_refused(database: Database) -> None:
    owner = samples.definition(database)

    with pytest.raises(ValidationError):
        scenarios.create(
            database, definition_id=owner.id, name="nul", content=ScenarioContent(prompt="a\x00b"), now=NOW
        )
