"""Tags: their names, and what they are on."""

import pytest

from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, tags
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW


def test_tags_are_listed_by_name_capitals_first(database: Database) -> None:
    for name in ("zeal", "Zeal", "éclat", "calm"):
        tags.create(database, name=name, now=NOW)

    assert [tag.name for tag in tags.list_all(database)] == ["Zeal", "calm", "zeal", "éclat"]


def test_a_tag_of_a_name_exists_once(database: Database) -> None:
    tags.create(database, name="calm", now=NOW)

    with pytest.raises(ConflictError, match="'calm'"):
        tags.create(database, name=" calm ", now=NOW)


def test_a_tag_without_a_name_is_refused(database: Database) -> None:
    with pytest.raises(ValidationError, match="name is empty"):
        tags.create(database, name=" ", now=NOW)


def test_putting_tags_on_a_definition_makes_the_new_ones_and_may_be_repeated(database: Database) -> None:
    made = samples.definition(database)
    known = tags.create(database, name="calm", now=NOW)

    tags.put_on(database, made.id, names=["zeal", "calm"], now=LATER)
    tags.put_on(database, made.id, names=["calm", "zeal"], now=LATER)

    assert [tag.name for tag in tags.of_definition(database, made.id)] == ["calm", "zeal"]
    assert tags.of_definition(database, made.id)[0] == known
    assert tags.definitions_with(database, "zeal") == (made,)


def test_an_empty_tag_among_others_leaves_nothing(database: Database) -> None:
    made = samples.definition(database)

    with pytest.raises(ValidationError):
        tags.put_on(database, made.id, names=["calm", " "], now=LATER)

    assert tags.list_all(database) == ()


def test_a_tag_can_be_taken_off_twice(database: Database) -> None:
    made = samples.definition(database)
    tags.put_on(database, made.id, names=["calm", "zeal"], now=NOW)

    tags.take_off(database, made.id, name="calm")
    tags.take_off(database, made.id, name="calm")

    assert [tag.name for tag in tags.of_definition(database, made.id)] == ["zeal"]


def test_renaming_a_tag_shows_on_every_definition(database: Database) -> None:
    made = samples.definition(database)
    tags.put_on(database, made.id, names=["calm"], now=NOW)
    (tag,) = tags.of_definition(database, made.id)

    tags.rename(database, tag.id, name="quiet")

    assert [tag.name for tag in tags.of_definition(database, made.id)] == ["quiet"]
    assert tags.rename(database, tag.id, name="quiet").name == "quiet"


def test_a_tag_cannot_take_anothers_name(database: Database) -> None:
    calm, _ = tags.create(database, name="calm", now=NOW), tags.create(database, name="zeal", now=NOW)

    with pytest.raises(ConflictError):
        tags.rename(database, calm.id, name="zeal")


def test_a_removed_tag_is_off_its_definitions(database: Database) -> None:
    made = samples.definition(database)
    tags.put_on(database, made.id, names=["calm"], now=NOW)
    (tag,) = tags.of_definition(database, made.id)

    tags.delete(database, tag.id)

    assert tags.of_definition(database, made.id) == ()
    with pytest.raises(NotFoundError):
        tags.get(database, tag.id)


def test_deleted_definitions_are_not_found_by_tag(database: Database) -> None:
    made = samples.definition(database)
    tags.put_on(database, made.id, names=["calm"], now=NOW)
    definitions.delete(database, made.id, now=LATER)

    assert tags.definitions_with(database, "calm") == ()
    with pytest.raises(NotFoundError):
        tags.put_on(database, made.id, names=["zeal"], now=LATER)
