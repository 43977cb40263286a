"""Transcripts: the three shapes, pages, expiry, and soft deletion."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import ContentError, NotFoundError, ValidationError
from export_pipelines.core.evaluation import NewTranscript, Run, Scenario
from export_pipelines.core.transcripts import Turn
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import runs, transcripts
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW

TURNS = {"turns": [{"turnNumber": 1, "promptLabel": "scenario_prompt", "probePrompt": "Q", "targetResponse": "A 🌙"}]}
MESSAGES = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A 🌙"}]
DIALOGUE = (Turn(number=1, label="scenario_prompt", probe="Q", target="A 🌙"),)


@pytest.fixture
def prompt(database: Database) -> Scenario:
    return samples.scenario(database, samples.definition(database).id)


@pytest.fixture
def run(database: Database, prompt: Scenario) -> Run:
    return samples.run(database, prompt.definition_id)


def answered(prompt: Scenario, content: dict[str, object] | None = TURNS) -> NewTranscript:
    return NewTranscript(
        scenario_id=prompt.id,
        target_model="openai:gpt-4.1",
        content=content,
        turn_count=1,
        token_count=3,
        duration_ms=250,
        estimated_cost=0.000125,
        decision_code="4",
        decision_text="rather the second",
    )


@pytest.mark.parametrize(
    ("content", "turns"),
    [
        (TURNS, DIALOGUE),
        ({"schema_version": 1, "messages": MESSAGES}, DIALOGUE),
        ({"messages": MESSAGES[:1], "raw_output": "A 🌙"}, DIALOGUE),
        ({}, ()),
        (None, None),
    ],
)
def test_every_stored_shape_is_read(
    database: Database, run: Run, prompt: Scenario, content: dict[str, object] | None, turns: object
) -> None:
    (made,) = transcripts.add_all(database, run.id, [answered(prompt, content)], now=NOW)

    assert (made.content, made.turns, made.run_id, made.created_at) == (content, turns, run.id, NOW)
    assert (made.estimated_cost, made.decision_code) == (0.000125, "4")
    assert transcripts.get(database, made.id) == made


def test_content_that_could_not_be_read_again_is_not_written(database: Database, run: Run, prompt: Scenario) -> None:
    strange = answered(prompt, {"schema_version": 5})

    with pytest.raises(ContentError, match="schema_version 5"):
        transcripts.add_all(database, run.id, [answered(prompt), strange], now=NOW)

    assert transcripts.list_for_run(database, run.id) == ()


def test_content_of_an_unknown_version_names_the_transcript(database: Database, run: Run, prompt: Scenario) -> None:
    (made,) = transcripts.add_all(database, run.id, [answered(prompt)], now=NOW)
    with database.transaction() as session:
        session.execute(
            text(database.sql("UPDATE {evaluation}.transcripts SET content = jsonb_build_object('schema_version', 2)"))
        )

    with pytest.raises(ContentError, match=f"transcript {made.id} has content of schema_version 2"):
        transcripts.get(database, made.id)


def test_a_scenario_of_another_definition_is_refused(database: Database, run: Run) -> None:
    stranger = samples.scenario(database, samples.definition(database, "another").id)

    with pytest.raises(ValidationError, match=stranger.id):
        transcripts.add_all(database, run.id, [answered(stranger)], now=NOW)


def test_pages_hold_every_transcript_once(database: Database, run: Run, prompt: Scenario) -> None:
    made = transcripts.add_all(database, run.id, [answered(prompt)] * 7, now=NOW)

    seen: list[str] = []
    while page := transcripts.list_for_run(database, run.id, limit=3, after=seen[-1] if seen else None):
        seen += [item.id for item in page]

    assert seen == sorted(item.id for item in made)


def test_expiry_drops_content_whose_time_is_over_and_nothing_else(
    database: Database, run: Run, prompt: Scenario
) -> None:
    due = replace(answered(prompt), content_expires_at=LATER)
    not_due = replace(answered(prompt), content_expires_at=LATER + timedelta(seconds=1))
    made = transcripts.add_all(database, run.id, [due, not_due, answered(prompt)], now=NOW)

    assert transcripts.expire_content(database, now=LATER) == 1
    assert transcripts.expire_content(database, now=LATER) == 0

    after = [transcripts.get(database, item.id) for item in made]
    assert [item.content is None for item in after] == [True, False, False]
    assert (after[0].turns, after[0].decision_code, after[0].token_count) == (None, "4", 3)


def test_a_decision_can_be_read_again_and_taken_back(database: Database, run: Run, prompt: Scenario) -> None:
    (made,) = transcripts.add_all(database, run.id, [answered(prompt)], now=NOW)

    assert transcripts.set_decision(database, made.id, code="other", text="declines").decision_code == "other"
    assert transcripts.set_decision(database, made.id, code=None, text=None).decision_code is None


def test_deleted_transcripts_and_those_of_deleted_runs_are_not_found(
    database: Database, run: Run, prompt: Scenario
) -> None:
    gone, kept = transcripts.add_all(database, run.id, [answered(prompt)] * 2, now=NOW)

    transcripts.delete(database, gone.id, now=LATER)
    assert [item.id for item in transcripts.list_for_run(database, run.id)] == [kept.id]
    with pytest.raises(NotFoundError, match=r"transcript .* was deleted"):
        transcripts.get(database, gone.id)

    runs.delete(database, run.id, now=LATER)
    with pytest.raises(NotFoundError, match=r"run .* was deleted"):
        transcripts.get(database, kept.id)
    with pytest.raises(NotFoundError):
        transcripts.list_for_run(database, run.id)


def test_adding_nothing_is_no_error(database: Database, run: Run) -> None:
    assert transcripts.add_all(database, run.id, [], now=NOW) == ()


def test_transcripts_go_with_a_run_that_is_removed_for_good(database: Database, run: Run, prompt: Scenario) -> None:
    transcripts.add_all(database, run.id, [answered(prompt)], now=NOW)

    with database.transaction() as session:
        session.execute(text(database.sql("DELETE FROM {evaluation}.runs")))
        left = session.scalar(text(database.sql("SELECT count(*) FROM {evaluation}.transcripts")))

    assert left == 0
