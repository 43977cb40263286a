"""The tree of definitions has no cycle, whoever changes it and however many at once."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from export_pipelines.core.errors import DatabaseUnavailableError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import add_definition

CYCLES = """
WITH RECURSIVE up (start, id) AS (
    SELECT id, parent_id FROM evaluation.definitions
    UNION
    SELECT up.start, d.parent_id FROM up JOIN evaluation.definitions d ON d.id = up.id
)
SELECT start FROM up WHERE start = id
"""
MOVE = "UPDATE evaluation.definitions SET parent_id = %s WHERE id = %s"


def move(database: Database, definition_id: str, *, under: str | None) -> None:
    with database.raw_connection() as connection:
        connection.execute(MOVE, [under, definition_id])
        connection.commit()


def test_a_definition_cannot_go_under_its_descendant(database: Database) -> None:
    root = add_definition(database)
    child = add_definition(database, parent_id=root)
    grandchild = add_definition(database, parent_id=child)
    with pytest.raises(ValidationError, match=f"{root} cannot have {grandchild} as its parent"):
        move(database, root, under=grandchild)


def test_a_definition_may_move_anywhere_else(database: Database) -> None:
    left, right = add_definition(database), add_definition(database)
    child = add_definition(database, parent_id=left)
    move(database, child, under=right)
    move(database, left, under=child)
    move(database, left, under=None)


def test_one_insert_of_two_rows_cannot_make_a_cycle(database: Database) -> None:
    statement = (
        "INSERT INTO evaluation.definitions (id, parent_id, name, content)"
        " VALUES ('c1', 'c2', 'A', '{}'), ('c2', 'c1', 'B', '{}')"
    )
    with pytest.raises(ValidationError, match="descends from it"), database.raw_connection() as connection:
        connection.execute(statement)


def test_one_update_of_two_rows_cannot_make_a_cycle(database: Database) -> None:
    first, second = add_definition(database), add_definition(database)
    statement = "UPDATE evaluation.definitions SET parent_id = CASE id WHEN %s THEN %s ELSE %s END"
    with pytest.raises(ValidationError, match="descends from it"), database.raw_connection() as connection:
        connection.execute(statement, [first, second, first])


def test_two_moves_at_once_that_are_a_cycle_together_are_not_both_made(database: Database) -> None:
    first, second = add_definition(database), add_definition(database)
    outcomes = []
    with database.raw_connection() as one, database.raw_connection() as other:
        one.execute(MOVE, [second, first])

        def move_other() -> None:
            try:
                other.execute(MOVE, [first, second])
                other.commit()
                outcomes.append("moved")
            except psycopg.errors.CheckViolation as error:
                outcomes.append(error.diag.constraint_name)

        thread = threading.Thread(target=move_other)
        thread.start()
        # The second has to wait for the first: it cannot know yet.
        thread.join(0.3)
        assert thread.is_alive()
        one.commit()
        thread.join(10)
    assert outcomes == ["definitions_no_cycle"]


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_move_in_a_transaction_that_could_not_see_the_others_is_refused(database: Database, level: str) -> None:
    first, second = add_definition(database), add_definition(database)
    with database.raw_connection() as connection:
        connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
        with pytest.raises(psycopg.errors.CheckViolation, match="READ COMMITTED"):
            connection.execute(MOVE, [first, second])


def test_many_random_moves_at_once_leave_no_cycle(database: Database) -> None:
    ids = [add_definition(database, name=str(number)) for number in range(6)]

    def wander(seed: int) -> int:
        rolls, made = random.Random(seed), 0
        for _ in range(40):
            definition, parent = rolls.sample(ids, 2)
            try:
                move(database, definition, under=parent)
                made += 1
            except (ValidationError, DatabaseUnavailableError):
                continue
        return made

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(wander, range(4))) > 6
    with database.raw_connection() as connection:
        assert connection.execute(CYCLES).fetchall() == []
