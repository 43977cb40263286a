"""The projections of a run's transcripts: whole, and as a table needs them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from export_pipelines.core.errors import ContentError, NotFoundError, ValidationError
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.core.transcripts import read_turns
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources.source import Source
from export_pipelines.db.sources.transcripts import read_responses, read_table, read_transcripts
from export_pipelines.db.tables import Scenario
from export_pipelines_tests.db.binary import read_tuples
from export_pipelines_tests.db.rows import NOW, add, add_definition, add_run, add_scenario, add_transcript, later

READERS = {"transcripts": read_transcripts, "responses": read_responses, "table": read_table}


def read(database: Database, run_id: str, reader: Any, **options: Any) -> tuple[Source, list[dict[str, Any]]]:
    with open_snapshot(database) as snapshot:
        source = reader(snapshot, run_id, options)
        return source, read_tuples(snapshot.copy(source.whole, source.params), source.columns)


def responses(database: Database, run_id: str) -> list[Any]:
    return [row["responses"] for row in read(database, run_id, read_responses)[1]]


@pytest.fixture
def definition(database: Database) -> str:
    return add_definition(database)


@pytest.fixture
def run(database: Database, definition: str) -> str:
    return add_run(database, definition)


@pytest.fixture
def scenario(database: Database, definition: str) -> str:
    return add_scenario(database, definition, "Scenario")


@pytest.mark.parametrize("reader", READERS)
def test_the_order_is_bytewise_by_model_scenario_and_id(
    database: Database, definition: str, run: str, reader: str
) -> None:
    scenarios = ["csc-b", "csc_a", "cscA", "csc1"]
    for id_ in scenarios:
        add(database, Scenario(id=id_, definition_id=definition, name="S", content={"prompt": "P"}))
    keys = [
        (model, id_, f"ct{number}{mark}")
        for number, (model, id_) in enumerate(
            (model, id_) for model in ("openai:gpt", "OpenAI:gpt", "a:é", "a-b", "a_b", "ab") for id_ in scenarios
        )
        for mark in ("b", "A", "-", "_")
    ]
    for model, id_, transcript in keys:
        add_transcript(database, run, id_, model, id=transcript)
    source, rows = read(database, run, READERS[reader])
    assert [(row["target_model"], row["scenario_id"], row["id"]) for row in rows] == sorted(keys)
    assert source.counted_rows == len(keys)


def test_a_transcript_comes_whole(database: Database, run: str, scenario: str) -> None:
    content = {"turns": [{"turnNumber": 1, "targetResponse": "Ja — 是 🙂\r\n\u2028", "x": [1.5, None]}]}
    transcript = add_transcript(
        database,
        run,
        scenario,
        "openai:gpt-4.1",
        content,
        model_version="2025-04-14",
        turn_count=1,
        token_count=2_000_000_000,
        duration_ms=3,
        estimated_cost=0.1,
        decision_code="4",
        decision_text="",
        created_at=later(microseconds=1),
        content_expires_at=later(days=9),
    )
    _, rows = read(database, run, read_transcripts)
    assert rows == [
        {
            "id": transcript,
            "scenario_id": scenario,
            "target_model": "openai:gpt-4.1",
            "model_version": "2025-04-14",
            "content": content,
            "turn_count": 1,
            "token_count": 2_000_000_000,
            "duration_ms": 3,
            "estimated_cost": 0.1,
            "decision_code": "4",
            "decision_text": "",
            "created_at": later(microseconds=1),
            "content_expires_at": later(days=9),
        }
    ]


def test_deleted_transcripts_and_those_of_other_runs_are_left_out(
    database: Database, definition: str, run: str, scenario: str
) -> None:
    add_transcript(database, run, scenario, deleted_at=NOW)
    add_transcript(database, add_run(database, definition), scenario)
    for reader in READERS.values():
        source, rows = read(database, run, reader)
        assert (rows, source.counted_rows, source.context["scenarios"]) == ([], 0, {})


def test_the_context_looks_up_scenarios_also_deleted_ones_but_not_unused_ones(
    database: Database, definition: str, run: str, scenario: str
) -> None:
    old = add_scenario(
        database,
        definition,
        "Old",
        content={"body": "Body", "dimensions": {"Tone": "mild", "B": 2, "A": 0.5}},
        deleted_at=NOW,
    )
    add_scenario(database, definition, "Unused")
    for used in (scenario, old):
        add_transcript(database, run, used)
    source, _ = read(database, run, read_transcripts)
    assert source.context["scenarios"] == {
        scenario: {"id": scenario, "name": "Scenario", "dimensions": {"A": 1}, "prompt": "Prompt of Scenario"},
        old: {"id": old, "name": "Old", "dimensions": {"Tone": "mild", "B": 2, "A": 0.5}, "prompt": "Body"},
    }
    for reader in (read_responses, read_table):
        source, _ = read(database, run, reader)
        assert source.context["scenarios"][old] == {"id": old, "name": "Old", "dimensions": {"B": 2, "A": 0.5}}
        assert source.context["dimension_names"] == ["A", "B"]
        assert set(source.context) == {"run", "definition", "scenarios", "dimension_names"}


def test_of_turns_only_the_responses_come_in_their_order(database: Database, run: str, scenario: str) -> None:
    turns = [{"targetResponse": "first", "probePrompt": "p"}, {"targetResponse": ""}, {"targetResponse": "first"}]
    add_transcript(database, run, scenario, content={"turns": turns, "other": "x"})
    assert responses(database, run) == [["first", "", "first"]]


def test_a_response_that_is_null_keeps_its_place(database: Database, run: str, scenario: str) -> None:
    add_transcript(database, run, scenario, content={"turns": [{"targetResponse": None}, {"targetResponse": "b"}]})
    assert responses(database, run) == [[None, "b"]]


WHOLE: dict[str, dict[str, Any]] = {
    "a turn without a response": {"turns": [{"probePrompt": "p"}, {"targetResponse": "b"}]},
    "no turns": {"turns": []},
    "no content": {},
    "messages": {"messages": [{"role": "assistant", "content": "a"}]},
    "messages with a version": {"schema_version": 1, "messages": [], "model_response": "a"},
    "turns with a version": {"schema_version": 1, "turns": [{"targetResponse": "a"}]},
    "turns that are no list": {"turns": {"targetResponse": "a"}},
    "turns that are null": {"turns": None},
    "a turn that is no object": {"turns": ["a"]},
    "an unknown version": {"schema_version": 9},
}


@pytest.mark.parametrize("shape", WHOLE)
def test_other_content_comes_whole_for_the_renderer_to_read(
    database: Database, run: str, scenario: str, shape: str
) -> None:
    add_transcript(database, run, scenario, content=WHOLE[shape])
    assert responses(database, run) == [WHOLE[shape]]


def test_expired_content_is_null(database: Database, run: str, scenario: str) -> None:
    add_transcript(database, run, scenario, content=None)
    assert responses(database, run) == [None]


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
turn = st.fixed_dictionaries({}, optional={"targetResponse": texts | st.none(), "probePrompt": texts})
contents = st.lists(
    st.fixed_dictionaries({"turns": st.lists(turn, max_size=4)}, optional={"schema_version": st.just(1), "x": texts}),
    min_size=1,
    max_size=20,
)


@pytest.fixture(scope="module")
def projection() -> str:
    """The expression of the query, on content that is given."""
    from export_pipelines.db.sources.transcripts import RESPONSES

    look = RESPONSES[RESPONSES.index("CROSS JOIN LATERAL") : RESPONSES.index("WHERE t.run_id")]
    return (
        "SELECT CASE WHEN look.responses = '[]' THEN t.content ELSE look.responses END "
        f"FROM (SELECT %s::jsonb AS content) t {look}"
    )


@settings(max_examples=40, deadline=None)
@given(many=contents)
def test_what_a_renderer_makes_of_responses_is_what_the_whole_content_says(
    postgres_url: str, projection: str, many: list[dict[str, Any]]
) -> None:
    with Database(postgres_url).raw_connection() as connection:
        for content in many:
            row = connection.execute(projection.encode(), [Jsonb(content)]).fetchone()
            assert row is not None
            sent = row[0]
            expected = [turn.target for turn in read_turns(content, where="it")]
            got = sent if isinstance(sent, list) else [turn.target for turn in read_turns(sent, where="it")]
            assert [response or "" for response in got] == expected


@pytest.mark.parametrize("reader", READERS)
def test_what_may_not_be_exported_is_refused(database: Database, definition: str, reader: str) -> None:
    running = add_run(database, definition, status=RunStatus.RUNNING)
    with pytest.raises(ValidationError):
        read(database, running, READERS[reader])
    assert read(database, running, READERS[reader], allow_partial=True)[0].partial
    with pytest.raises(NotFoundError):
        read(database, "cnothing", READERS[reader])


def test_a_scenario_that_cannot_be_read_is_named(database: Database, definition: str, run: str) -> None:
    bad = add_scenario(database, definition, content={"schema_version": 3, "prompt": "P"})
    add_transcript(database, run, bad)
    with pytest.raises(ContentError, match=bad):
        read(database, run, read_transcripts)
