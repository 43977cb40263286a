"""Definitions: create, fork, change, delete; what is resolved."""

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import ConflictError, ContentError, NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, scenarios
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import CONTENT, LATER, NOW


def test_a_new_definition_is_read_back_as_it_was_written(database: Database) -> None:
    made = samples.definition(database)

    assert definitions.get(database, made.id) == made
    assert definitions.resolved_content(database, made.id) == CONTENT
    assert (made.version, made.parent_id, made.created_at, made.deleted_at) == (1, None, NOW, None)


def test_a_fork_inherits_what_it_does_not_say(database: Database) -> None:
    root = samples.definition(database)
    child = definitions.fork(database, root.id, name="Child", overrides={"template": "Another."}, now=NOW)
    grandchild = definitions.fork(database, child.id, name="Grandchild", overrides={"preamble": "Once."}, now=NOW)

    resolved = definitions.resolved_content(database, grandchild.id)

    assert grandchild.content == {"schema_version": 2, "preamble": "Once."}
    assert (resolved.preamble, resolved.template) == ("Once.", "Another.")
    assert (resolved.dimensions, resolved.base_id) == (CONTENT.dimensions, CONTENT.base_id)


def test_a_fork_with_content_of_a_wrong_shape_is_refused_and_leaves_nothing(database: Database) -> None:
    root = samples.definition(database)

    with pytest.raises(ContentError, match="should be a list"):
        definitions.fork(database, root.id, name="Child", overrides={"dimensions": "none"}, now=NOW)

    assert [found.id for found in definitions.list_all(database)] == [root.id]


def test_changing_a_definition_counts_its_version_up(database: Database) -> None:
    made = samples.definition(database)

    changed = definitions.update_definition(database, made.id, name="Ferry", expected_version=1, now=LATER)

    assert (changed.name, changed.version, changed.updated_at) == ("Ferry", 2, LATER)
    assert changed.content == made.content
    assert definitions.get(database, made.id) == changed


def test_a_change_based_on_an_old_version_is_refused(database: Database) -> None:
    made = samples.definition(database)
    definitions.update_definition(database, made.id, name="Ferry", now=LATER)

    with pytest.raises(ConflictError, match="read it again"):
        definitions.update_definition(database, made.id, name="Boat", expected_version=1, now=LATER)


def test_a_change_to_an_unknown_content_version_is_refused(database: Database) -> None:
    made = samples.definition(database)

    with pytest.raises(ContentError, match=f"{made.id}.*schema_version 9"):
        definitions.update_definition(database, made.id, content={"schema_version": 9}, now=LATER)

    assert definitions.get(database, made.id) == made


def test_reading_content_of_an_unknown_version_names_the_row(database: Database) -> None:
    made = samples.definition(database)
    with database.transaction() as session:
        session.execute(text(database.sql("UPDATE {evaluation}.definitions SET content = '{\"schema_version\": 3}'")))

    with pytest.raises(ContentError, match=f"definition {made.id} has content of schema_version 3"):
        definitions.get(database, made.id)


def test_a_deleted_definition_is_gone_with_its_scenarios(database: Database) -> None:
    made = samples.definition(database)
    prompt = samples.scenario(database, made.id)

    definitions.delete(database, made.id, now=LATER)

    with pytest.raises(NotFoundError, match=r"was deleted on 2026-03-01 13:00 UTC"):
        definitions.get(database, made.id)
    with pytest.raises(NotFoundError, match="was deleted"):
        scenarios.get(database, prompt.id)
    assert definitions.list_all(database) == ()


def test_deleting_twice_says_that_it_is_deleted(database: Database) -> None:
    made = samples.definition(database)
    definitions.delete(database, made.id, now=LATER)

    with pytest.raises(NotFoundError, match="was deleted"):
        definitions.delete(database, made.id, now=LATER)


def test_a_definition_with_live_forks_stays(database: Database) -> None:
    root = samples.definition(database)
    child = definitions.fork(database, root.id, name="Child", now=NOW)

    with pytest.raises(ConflictError, match=r"forks \(1\)"):
        definitions.delete(database, root.id, now=LATER)
    definitions.delete(database, child.id, now=LATER)
    definitions.delete(database, root.id, now=LATER)

    assert definitions.list_all(database) == ()


def test_an_unknown_id_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError, match="no definition with the id 'cnothing'"):
        definitions.get(database, "cnothing")


@pytest.mark.parametrize("name", ["", "   ", "\n"])
def test_a_name_of_blanks_is_refused(database: Database, name: str) -> None:
    with pytest.raises(ValidationError, match="name is empty"):
        definitions.create(database, name=name, content=CONTENT, now=NOW)


@pytest.mark.parametrize("name", ["a\x00b", "a\ud800b"])
def test_text_that_postgresql_cannot_hold_is_a_validation_error(database: Database, name: str) -> None:
    with pytest.raises(ValidationError):
        definitions.create(database, name=name, content=CONTENT, now=NOW)
