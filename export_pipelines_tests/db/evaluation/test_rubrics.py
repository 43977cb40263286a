"""Rubrics: versions of a name."""

import threading

import pytest

from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import rubrics
from export_pipelines_tests.db.evaluation.samples import NOW


def test_each_version_of_a_name_follows_the_last(database: Database) -> None:
    first = rubrics.create_version(database, name="Digit", content={"codes": ["1"]}, now=NOW)
    second = rubrics.create_version(database, name=" Digit ", content={"codes": ["1", "2"]}, now=NOW)
    other = rubrics.create_version(database, name="Word", content={}, now=NOW)

    assert (first.version, second.version, other.version) == (1, 2, 1)
    assert rubrics.latest(database, "Digit") == second
    assert rubrics.list_all(database) == (second, first, other)


def test_versions_made_at_once_get_numbers_of_their_own(database: Database) -> None:
    ready = threading.Barrier(4)

    def make() -> None:
        ready.wait()
        rubrics.create_version(database, name="Digit", content={}, now=NOW)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [rubric.version for rubric in rubrics.list_all(database)] == [4, 3, 2, 1]


def test_a_version_can_be_corrected_and_removed(database: Database) -> None:
    made = rubrics.create_version(database, name="Digit", content={}, now=NOW)

    assert rubrics.update_content(database, made.id, content={"codes": []}).content == {"codes": []}
    rubrics.delete(database, made.id)

    with pytest.raises(NotFoundError):
        rubrics.get(database, made.id)
    with pytest.raises(NotFoundError, match="'Digit'"):
        rubrics.latest(database, "Digit")


def test_a_rubric_needs_a_name(database: Database) -> None:
    with pytest.raises(ValidationError, match="name is empty"):
        rubrics.create_version(database, name=" ", content={}, now=NOW)
