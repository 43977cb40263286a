"""What people type: ids, beginnings of ids, names, addresses; and what they are told when it does not fit."""

import pytest

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, experiments, lookup, runs, users
from export_pipelines.db.tables import Run
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW


@pytest.fixture
def definition(database: Database) -> records.Definition:
    return samples.definition(database, "Bridge 🌉 / αυλή")


def runs_called(database: Database, definition_id: str, *ids: str, name: str | None = None) -> None:
    with database.transaction() as session:
        for run_id in ids:
            session.add(Run(id=run_id, definition_id=definition_id, name=name, created_at=NOW))


def test_a_run_is_found_by_id_and_by_the_beginning_of_it(database: Database, definition: records.Definition) -> None:
    runs_called(database, definition.id, "cabcdef123", "cabxyz456")

    assert lookup.find_run(database, "cabcdef123").id == "cabcdef123"
    assert lookup.find_run(database, " cabc ").id == "cabcdef123"
    assert lookup.find_run(database, "cabx").id == "cabxyz456"


def test_a_definition_is_found_by_its_exact_name(database: Database, definition: records.Definition) -> None:
    assert lookup.find_definition(database, "Bridge 🌉 / αυλή") == definition


def test_an_experiment_is_found_by_its_name(database: Database) -> None:
    made = experiments.create(database, name="Languages", now=NOW)

    assert lookup.find_experiment(database, "Languages") == made


def test_a_user_is_found_by_address_id_and_name(database: Database) -> None:
    made = users.create(database, email="ada@example.org", name="Ada", password="correct horse", now=NOW)

    for text in ("ADA@example.org", made.id, made.id[:20], "Ada"):
        assert lookup.find_user(database, text) == made


def test_an_unknown_address_is_repeated(database: Database) -> None:
    with pytest.raises(NotFoundError, match=r"address nobody@example.org"):
        lookup.find_user(database, "nobody@example.org")


def test_a_whole_id_wins_over_longer_ones_and_over_names(database: Database, definition: records.Definition) -> None:
    runs_called(database, definition.id, "cabcd", "cabcdef")
    runs_called(database, definition.id, "cother", name="cabcd")

    assert lookup.find_run(database, "cabcd").id == "cabcd"


def test_an_exact_name_wins_over_the_beginning_of_an_id(database: Database, definition: records.Definition) -> None:
    runs_called(database, definition.id, "cabcdef")
    runs_called(database, definition.id, "cother", name="cabc")

    assert lookup.find_run(database, "cabc").id == "cother"


def test_what_fits_several_lists_five_of_them(database: Database, definition: records.Definition) -> None:
    runs_called(database, definition.id, *(f"csame{number}" for number in range(7)), name="nightly")

    with pytest.raises(ValidationError) as refused:
        lookup.find_run(database, "csame")
    with pytest.raises(ValidationError, match="'nightly' fits 7 runs"):
        lookup.find_run(database, "nightly")

    assert "fits 7 runs: csame0 (nightly), csame1 (nightly)" in str(refused.value)
    assert "csame4 (nightly) and 2 more. Give more of the id." in str(refused.value)
    assert "csame5" not in str(refused.value)


def test_deleted_rows_do_not_make_a_text_ambiguous(database: Database, definition: records.Definition) -> None:
    runs_called(database, definition.id, "csame1", "csame2")
    runs.delete(database, "csame2", now=LATER)

    assert lookup.find_run(database, "csame").id == "csame1"


def test_a_deleted_row_says_so_however_it_is_named(database: Database, definition: records.Definition) -> None:
    definitions.delete(database, definition.id, now=LATER)

    for text in (definition.id, definition.id[:12], definition.name):
        with pytest.raises(NotFoundError, match=f"definition {definition.id} was deleted on 2026-03-01"):
            lookup.find_definition(database, text)


def test_the_id_of_something_else_says_what_it_is(database: Database, definition: records.Definition) -> None:
    run = samples.run(database, definition.id)
    prompt = samples.scenario(database, definition.id)

    with pytest.raises(ValidationError, match="is the id of a run, but a definition is needed"):
        lookup.find_definition(database, run.id)
    with pytest.raises(ValidationError, match="is the id of a scenario, but a run is needed"):
        lookup.find_run(database, prompt.id)
    with pytest.raises(ValidationError, match="is the id of a definition, but a user is needed"):
        lookup.find_user(database, definition.id)


def test_a_beginning_that_is_too_short_is_told_apart(database: Database, definition: records.Definition) -> None:
    runs_called(database, definition.id, "cabcdef")

    with pytest.raises(NotFoundError, match="at least 4 characters"):
        lookup.find_run(database, "cab")


@pytest.mark.parametrize("text", ["cnothing0", "Nightly", "100%", "c_b%", "'; DROP TABLE runs; --", "﷽"])
def test_what_is_not_there_says_what_to_try(database: Database, definition: records.Definition, text: str) -> None:
    runs_called(database, definition.id, "cabcdef", name="nightly")

    with pytest.raises(NotFoundError, match="no run with the id or name"):
        lookup.find_run(database, text)


@pytest.mark.parametrize("text", ["", "  ", "\t"])
def test_nothing_is_not_an_id(database: Database, text: str) -> None:
    with pytest.raises(ValidationError, match="No run is given"):
        lookup.find_run(database, text)


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\ud800", "x" * 501])
def test_what_cannot_be_an_id_or_name_is_refused_before_it_is_looked_for(database: Database, text: str) -> None:
    for find in (lookup.find_run, lookup.find_definition, lookup.find_user):
        with pytest.raises(ValidationError, match="cannot be the id or name"):
            find(database, text)
    with pytest.raises(ValidationError, match="cannot be the id or name"):
        lookup.find_user(database, text + "@")
