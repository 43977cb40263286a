"""Ancestry, descendants, the runs of a tree, and the cycles that the database refuses."""

import threading
import time
from collections.abc import Sequence

import pytest

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import ExportPipelinesError, NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definition_trees, definitions, runs
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW


def chain(database: Database, length: int) -> list[records.Definition]:
    made = [samples.definition(database, "level 0")]
    for level in range(1, length):
        made.append(definitions.fork(database, made[-1].id, name=f"level {level}", now=NOW))
    return made


def names(related: Sequence[records.Related]) -> list[tuple[str, int]]:
    return [(item.definition.name, item.depth) for item in related]


def test_ancestry_goes_from_the_definition_up_to_its_root(database: Database) -> None:
    made = chain(database, 3)

    assert names(definition_trees.ancestry(database, made[2].id)) == [("level 2", 0), ("level 1", 1), ("level 0", 2)]


def test_descendants_come_nearest_first(database: Database) -> None:
    root, child, _ = chain(database, 3)
    definitions.fork(database, root.id, name="sibling", now=LATER)

    found = definition_trees.descendants(database, root.id)

    assert names(found) == [("level 1", 1), ("sibling", 1), ("level 2", 2)]
    assert names(definition_trees.descendants(database, child.id)) == [("level 2", 1)]


def test_a_ten_level_ancestry_answers_within_a_tenth_of_a_second(database: Database) -> None:
    made = chain(database, 10)
    definition_trees.ancestry(database, made[-1].id)

    took = []
    for _ in range(5):
        start = time.perf_counter()
        found = definition_trees.ancestry(database, made[-1].id)
        took.append(time.perf_counter() - start)

    assert len(found) == 10
    assert min(took) < 0.1


def test_deleted_ancestors_still_count_and_deleted_descendants_do_not(database: Database) -> None:
    root, child, _ = chain(database, 3)
    with database.transaction() as session:
        # Our own delete refuses this; an application's may not.
        session.connection().exec_driver_sql(
            database.sql("UPDATE {evaluation}.definitions SET deleted_at = now() WHERE id = %s"), (child.id,)
        )

    below = definition_trees.descendants(database, root.id)

    assert names(below) == [("level 2", 2)]
    assert len(definition_trees.ancestry(database, below[0].definition.id)) == 3


def test_runs_of_a_tree_are_those_of_every_definition_in_it(database: Database) -> None:
    root, child, grandchild = chain(database, 3)
    sibling = definitions.fork(database, root.id, name="sibling", now=NOW)
    other = samples.definition(database, "another tree")
    made = [samples.run(database, item.id).id for item in (root, child, grandchild, sibling)]
    samples.run(database, other.id)
    deleted = samples.run(database, child.id)
    runs.delete(database, deleted.id, now=LATER)

    assert {run.id for run in definition_trees.runs_of_tree(database, grandchild.id)} == set(made)
    assert {run.id for run in definition_trees.runs_below(database, child.id)} == {made[1], made[2]}


def test_the_database_refuses_a_definition_as_its_own_parent(database: Database) -> None:
    made = samples.definition(database)

    with pytest.raises(ValidationError):
        definition_trees.move(database, made.id, parent_id=made.id, now=LATER)


def test_the_database_refuses_a_cycle(database: Database) -> None:
    root, _, grandchild = chain(database, 3)

    with pytest.raises(ValidationError, match="descends from it"):
        definition_trees.move(database, root.id, parent_id=grandchild.id, now=LATER)

    assert definitions.get(database, root.id).parent_id is None


def test_two_moves_at_once_cannot_close_a_cycle_together(database: Database) -> None:
    one, other = samples.definition(database, "one"), samples.definition(database, "other")
    refused: list[ExportPipelinesError] = []
    ready = threading.Barrier(2)

    def move(child: str, parent: str) -> None:
        ready.wait()
        try:
            definition_trees.move(database, child, parent_id=parent, now=LATER)
        except ExportPipelinesError as error:
            refused.append(error)

    threads = [threading.Thread(target=move, args=pair) for pair in ((one.id, other.id), (other.id, one.id))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    parents = [definitions.get(database, item.id).parent_id for item in (one, other)]
    assert len(refused) == 1
    assert parents.count(None) == 1


def test_a_subtree_moves_under_another_root(database: Database) -> None:
    _, child, grandchild = chain(database, 3)
    other = samples.definition(database, "other root")

    moved = definition_trees.move(database, child.id, parent_id=other.id, now=LATER)

    assert (moved.parent_id, moved.version) == (other.id, 2)
    assert [name for name, _ in names(definition_trees.ancestry(database, grandchild.id))][-1] == "other root"


def test_a_tree_walk_ends_even_where_a_database_has_a_cycle(database: Database) -> None:
    root, _, grandchild = chain(database, 3)
    with database.transaction() as session:
        connection = session.connection()
        connection.exec_driver_sql(database.sql("ALTER TABLE {evaluation}.definitions DISABLE TRIGGER ALL"))
        connection.exec_driver_sql(
            database.sql("UPDATE {evaluation}.definitions SET parent_id = %s WHERE id = %s"), (grandchild.id, root.id)
        )

    assert len(definition_trees.ancestry(database, grandchild.id)) == 3
    assert len(definition_trees.descendants(database, root.id)) == 2


def test_the_tree_of_an_unknown_definition_is_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError):
        definition_trees.ancestry(database, "cnothing")
