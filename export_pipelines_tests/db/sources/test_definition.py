"""The projection of one definition."""

import pytest

from export_pipelines.core.definitions import resolve
from export_pipelines.core.errors import ContentError, NotFoundError
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources.definition import read_definition
from export_pipelines.db.sources.source import Source
from export_pipelines.db.tables import DefinitionTag
from export_pipelines_tests.db.binary import read_tuples
from export_pipelines_tests.db.rows import FULL, NOW, add_definition, add_tag


def read(database: Database, definition_id: str) -> tuple[Source, list[dict[str, object]]]:
    with open_snapshot(database) as snapshot:
        source = read_definition(snapshot, definition_id, {})
        return source, read_tuples(snapshot.copy(source.whole, source.params), source.columns)


def tag(database: Database, definition_id: str, *names: str) -> None:
    for name in names:
        tag_id = add_tag(database, name)
        with database.transaction() as session:
            session.add(DefinitionTag(definition_id=definition_id, tag_id=tag_id))


def test_the_definition_is_the_one_row_and_is_resolved_in_the_context(database: Database) -> None:
    root = add_definition(database, "Root", content={**FULL, "matching_rules": "Rules of the root"})
    middle = add_definition(
        database, "Middle", parent_id=root, content={"schema_version": 2, "preamble": "Of the middle"}
    )
    leaf = add_definition(database, "Blatt 🍃", parent_id=middle, content={"schema_version": 2, "template": "Leaf [A]"})
    source, rows = read(database, leaf)
    assert rows == [{"id": leaf, "name": "Blatt 🍃", "content": {"schema_version": 2, "template": "Leaf [A]"}}]
    assert (source.counted_rows, source.partial) == (1, False)
    assert source.context == {
        "definition": {
            "id": leaf,
            "name": "Blatt 🍃",
            "tags": [],
            "content": {
                "schema_version": 2,
                "preamble": "Of the middle",
                "template": "Leaf [A]",
                "dimensions": [],
                "matching_rules": "Rules of the root",
            },
        }
    }


def test_resolved_content_resolves_to_itself(database: Database) -> None:
    source, _ = read(database, add_definition(database, content={**FULL, "base_id": "scenario_012"}))
    content = source.context["definition"]["content"]
    assert resolve([("c1", content)]).base_id == "scenario_012"


def test_tags_are_sorted_bytewise(database: Database) -> None:
    definition = add_definition(database)
    tag(database, definition, "ethics", "Zeta", "éthique", "a-b", "a_b", "ab")
    source, _ = read(database, definition)
    assert source.context["definition"]["tags"] == ["Zeta", "a-b", "a_b", "ab", "ethics", "éthique"]


def test_a_deleted_ancestor_still_passes_its_fields_on(database: Database) -> None:
    root = add_definition(database, content={**FULL, "preamble": "From the grave"}, deleted_at=NOW)
    child = add_definition(database, parent_id=root, content={"schema_version": 2})
    source, _ = read(database, child)
    assert source.context["definition"]["content"]["preamble"] == "From the grave"


def test_ten_levels_resolve(database: Database) -> None:
    above = None
    for level in range(10):
        content = FULL if above is None else {"schema_version": 2, "preamble": f"level {level}"}
        above = add_definition(database, parent_id=above, content=content)
    assert above is not None
    source, _ = read(database, above)
    assert source.context["definition"]["content"]["preamble"] == "level 9"
    assert source.context["definition"]["content"]["template"] == "T [A]"


def test_a_deleted_or_unknown_definition_is_not_found(database: Database) -> None:
    deleted = add_definition(database, deleted_at=NOW)
    with pytest.raises(NotFoundError, match="is deleted"):
        read(database, deleted)
    with pytest.raises(NotFoundError, match="does not exist"):
        read(database, "cnothing")


def test_an_unknown_version_anywhere_above_names_its_row(database: Database) -> None:
    root = add_definition(database, content={"schema_version": 9})
    child = add_definition(database, parent_id=root, content={"schema_version": 2})
    with pytest.raises(ContentError, match=root):
        read(database, child)


def test_a_cycle_in_a_foreign_database_ends(empty_database: str) -> None:
    database = Database(empty_database, schemas={"evaluation": "public"})
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("""
            CREATE TABLE definitions (id text, parent_id text, name text, content jsonb, deleted_at timestamp);
            CREATE TABLE tags (id text, name text);
            CREATE TABLE definition_tags (definition_id text, tag_id text);
            INSERT INTO definitions VALUES ('c1', 'c2', 'One', '{"schema_version": 2, "preamble": "P"}'),
                ('c2', 'c1', 'Two', '{"schema_version": 2, "template": "T"}')""")
    source, _ = read(database, "c1")
    assert source.context["definition"]["content"]["template"] == "T"
