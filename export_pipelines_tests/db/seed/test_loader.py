"""The demonstration data: quick, the same everywhere, harmless to repeat, and as interesting as it promises."""

import json
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import ConflictError
from export_pipelines.core.evaluation import AnalysisStatus, RunStatus
from export_pipelines.core.transcripts import read_turns
from export_pipelines.db import seed as seed_package
from export_pipelines.db.database import Database
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.evaluation import (
    analysis,
    comparisons,
    definition_trees,
    definitions,
    experiments,
    lookup,
    runs,
    scenarios,
    tags,
    transcripts,
    users,
)
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID, seed
from export_pipelines.db.seed.rows import all_rows
from export_pipelines.db.seed.stories import read_data
from export_pipelines_tests import postgres
from export_pipelines_tests.db.evaluation.samples import NOW

FORMULA_STARTS = tuple("=+-@\t\r")


@pytest.fixture(scope="module")
def showcase(postgres_server: EmbeddedServer, seeded_template: str) -> Iterator[Database]:
    """One seeded database for all tests that only look."""
    with postgres.opened(postgres_server, template=seeded_template) as database:
        yield database


def contents(database: Database) -> dict[str, list[str]]:
    """Every row of every seeded table, as text."""
    with database.transaction() as session:
        return {
            table: sorted(
                session.scalars(text(database.sql(f"SELECT row_to_json(t)::text FROM {{evaluation}}.{table} t")))
            )
            for table in all_rows()
        }


def test_seeding_creates_every_row_within_five_seconds(database: Database) -> None:
    start = time.perf_counter()
    summary = seed(database)
    took = time.perf_counter() - start

    assert {table: len(rows) for table, rows in contents(database).items()} == summary.counts
    assert summary.created == sum(summary.counts.values())
    assert took < 5


def test_seeding_again_changes_nothing(database: Database) -> None:
    seed(database)
    before = contents(database)

    summary = seed(database)

    assert summary.created == 0
    assert contents(database) == before


def test_seeding_again_restores_what_was_removed_and_keeps_what_was_changed(database: Database) -> None:
    seed(database)
    with database.transaction() as session:
        session.execute(text(database.sql("DELETE FROM {evaluation}.analysis_results")))
    runs.update_run(database, SHOWCASE_RUN_ID, name="My own name", now=NOW)

    summary = seed(database)

    assert summary.created == summary.counts["analysis_results"]
    assert runs.get(database, SHOWCASE_RUN_ID).name == "My own name"


def test_two_who_seed_at_once_leave_one_set_of_rows(database: Database) -> None:
    created: list[int] = []
    ready = threading.Barrier(2)

    def work() -> None:
        ready.wait()
        created.append(seed(database).created)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(created) == [0, sum(len(rows) for rows in all_rows().values())]


def test_tags_that_are_there_already_are_used(database: Database) -> None:
    mine = tags.create(database, name="Freedom_vs_Harmony", now=NOW)

    seed(database)

    assert mine in tags.of_definition(database, SHOWCASE_DEFINITION_ID)
    assert seed(database).created == 0


def test_somebody_elses_user_of_a_demo_address_is_not_touched(database: Database) -> None:
    users.create(database, email=DEMO_USER_EMAIL.upper(), password="correct horse", now=NOW)

    with pytest.raises(ConflictError, match=r"iris.demo@example.org"):
        seed(database)

    assert definitions.list_all(database) == ()


def test_seed_and_queries_work_in_a_schema_of_another_name(database: Database) -> None:
    with database.transaction() as session:
        # The trigger's code names the schema it was made in; an application's own tables have no such trigger.
        session.execute(text("DROP TRIGGER definitions_no_cycle ON evaluation.definitions"))
        session.execute(text('ALTER SCHEMA evaluation RENAME TO "App data"'))
    elsewhere = Database(database.url, schemas={"evaluation": "App data"})

    try:
        seed(elsewhere)

        assert lookup.find_run(elsewhere, SHOWCASE_RUN_ID).status is RunStatus.COMPLETED
        assert len(runs.list_all(elsewhere, status=RunStatus.RUNNING)) == 1
        assert len(definition_trees.ancestry(elsewhere, SHOWCASE_DEFINITION_ID)) == 3
        assert len(definition_trees.runs_of_tree(elsewhere, SHOWCASE_DEFINITION_ID)) == 3
        assert analysis.current(elsewhere, SHOWCASE_RUN_ID, analysis_type="basic").status is AnalysisStatus.CURRENT
        assert transcripts.expire_content(elsewhere, now=NOW) == 0
    finally:
        elsewhere.close()


def test_all_rows_are_the_same_every_time() -> None:
    assert json.dumps(all_rows(), default=str) == json.dumps(all_rows(), default=str)


def test_the_ids_of_the_showcase_never_change() -> None:
    # Written out, since people put them into notes and scripts.
    assert SHOWCASE_DEFINITION_ID == "ca2gvdciknfrbengm0efovtu6"
    assert SHOWCASE_RUN_ID == "c4yyvpdcu2ohltd2j2wix57oa"


def test_the_demo_passwords_are_those_that_the_data_states(showcase: Database) -> None:
    for person in read_data("people")["users"]:
        assert users.verify(showcase, email=person["email"], password=person["demo_password"]) is not None


def test_the_showcase_definition_is_sparse_and_third_in_its_tree(showcase: Database) -> None:
    line = definition_trees.ancestry(showcase, SHOWCASE_DEFINITION_ID)
    resolved = definitions.resolved_content(showcase, SHOWCASE_DEFINITION_ID)

    assert [item.definition.content["schema_version"] for item in line] == [2, 2, 1]
    assert "template" not in line[0].definition.content
    assert [dimension.name for dimension in resolved.dimensions] == ["Freedom", "Harmony"]
    assert resolved.template == line[1].definition.content["template"]


def test_definitions_of_every_version_can_be_resolved(showcase: Database) -> None:
    found = definitions.list_all(showcase)

    assert {item.content.get("schema_version", 0) for item in found} == {0, 1, 2}
    assert all(definitions.resolved_content(showcase, item.id).template for item in found)
    assert any("values" in dimension for item in found for dimension in item.content.get("dimensions", []))


def test_every_prompt_has_its_placeholders_filled_in(showcase: Database) -> None:
    stored = [
        item
        for definition in definitions.list_all(showcase)
        for item in scenarios.list_for_definition(showcase, definition.id)
    ]

    assert 40 <= len(stored) <= 80
    assert not [item.content.prompt for item in stored if "[" in item.content.prompt]


def test_runs_stand_in_every_state_that_exports_tell_apart(showcase: Database) -> None:
    found = runs.list_all(showcase)
    empty = lookup.find_run(showcase, "Flood gate, dry run")

    assert {RunStatus.COMPLETED, RunStatus.RUNNING, RunStatus.FAILED, RunStatus.PENDING} <= {
        run.status for run in found
    }
    assert empty.status is RunStatus.COMPLETED
    assert transcripts.list_for_run(showcase, empty.id) == ()


def test_progress_counts_the_transcripts_that_are_there() -> None:
    rows = all_rows()
    answered = Counter(row["run_id"] for row in rows["transcripts"])

    assert all(run["progress"]["completed"] == answered[run["id"]] for run in rows["runs"])


def test_the_showcase_run_has_every_oddity(showcase: Database) -> None:
    run = runs.get(showcase, SHOWCASE_RUN_ID)
    found = transcripts.list_for_run(showcase, run.id)
    stored = [item.content for item in found if item.content]
    answers = [turn.target for item in found for turn in item.turns or ()]
    letters = {unicodedata.name(letter).split()[0] for answer in answers for letter in answer if letter.isalpha()}
    asked = Counter((item.scenario_id, item.target_model) for item in found)

    assert (run.status, run.definition_id) == (RunStatus.COMPLETED, SHOWCASE_DEFINITION_ID)
    assert sum(item.content is None for item in found) == 3
    assert sum(item.content == {} for item in found) == 2
    assert {("turns" in item, item.get("schema_version")) for item in stored} == {
        (True, None),
        (False, 1),
        (False, None),
    }
    assert {item.turn_count for item in found} == {0, 1, 2, 3}
    assert {"GREEK", "ARABIC", "DEVANAGARI", "CJK", "HIRAGANA", "LATIN"} <= letters
    assert any("🕊" in answer for answer in answers)
    assert {start for start in FORMULA_STARTS for answer in answers if answer.startswith(start)} >= set("=+-@\t")
    assert max(asked.values()) == 2
    assert {item.decision_code for item in found} == {"1", "2", "3", "4", "5", "other", None}
    assert len({item.target_model for item in found}) == 4


def test_deleted_rows_of_every_kind_are_there() -> None:
    rows = all_rows()

    for table in ("definitions", "scenarios", "runs", "transcripts"):
        assert any(row["deleted_at"] for row in rows[table]), table


def test_every_dialogue_can_be_read_and_has_the_turns_that_are_counted() -> None:
    for row in all_rows()["transcripts"]:
        if row["content"] is not None:
            turns = read_turns(row["content"], where=row["id"])
            assert len(turns) == row["turn_count"]
            assert all(turn.target for turn in turns)


def test_the_current_analysis_says_what_the_transcripts_say(showcase: Database) -> None:
    current = analysis.current(showcase, SHOWCASE_RUN_ID, analysis_type="basic")
    found = transcripts.list_for_run(showcase, SHOWCASE_RUN_ID)
    old = [item for item in analysis.history(showcase, SHOWCASE_RUN_ID) if item.status is AnalysisStatus.SUPERSEDED]

    assert current.output["transcripts"] == len(found)
    assert len(old) == 1
    for model, summary in current.output["by_model"].items():
        codes = [item.decision_code for item in found if item.target_model == model]
        assert summary["decisions"] == {digit: codes.count(digit) for digit in "12345"}


def test_the_experiment_compares_two_of_its_runs(showcase: Database) -> None:
    (study,) = experiments.list_all(showcase)
    (comparison,) = comparisons.list_for_experiment(showcase, study.id)

    inside = {run.id for run in experiments.runs_of(showcase, study.id)}

    assert {comparison.baseline_run_id, comparison.comparison_run_id} == inside
    assert comparison.comparison_run_id == SHOWCASE_RUN_ID


def test_nothing_in_the_data_lies_in_the_future_of_its_first_readers() -> None:
    moments = [
        value for rows in all_rows().values() for row in rows for name, value in row.items() if name.endswith("_at")
    ]

    assert max(moment.isoformat() for moment in moments if moment is not None) < "2026-06"
    assert all(moment.utcoffset().total_seconds() == 0 for moment in moments if moment is not None)


def test_every_data_file_is_short_enough_to_read() -> None:
    for file in (Path(seed_package.__file__).parent / "data").glob("*.yaml"):
        assert len(file.read_text(encoding="utf-8").splitlines()) < 300, file
