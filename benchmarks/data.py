"""Synthetic evaluation data of any size: one completed run with N transcripts of about 5 KB of JSONB each."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson

from export_pipelines.db.database import Database

MODELS = ("anthropic:claude-sonnet-4-20250514", "google:gemini-2.5-pro", "openai:gpt-4.1")
SCENARIOS = 1000
CONTENT_BYTES = 5000
USER_EMAIL = "bench@example.org"
_STARTED = datetime(2026, 3, 1, tzinfo=UTC)
_WORDS = (
    "freedom",
    "harmony",
    "security",
    "tradition",
    "benevolence",
    "achievement",
    "duty",
    "neighbour",
    "council",
    "harvest",
    "letter",
    "promise",
    "river",
    "doctor",
    "evidence",
    "patient",
    "budget",
    "village",
    "school",
    "choice",
    "consequence",
    "reason",
    "doubt",
    "trust",
    "fairness",
    "because",
    "although",
    "therefore",
    "would",
    "could",
    "should",
    "never",
    "often",
    "rarely",
    "perhaps",
    "certainly",
    "the",
    "a",
    "of",
    "to",
    "and",
    "in",
    "that",
    "it",
    "is",
    "was",
    "for",
    "with",
    "as",
    "his",
    "her",
    "their",
    "our",
    "decision",
    "option",
    "first",
    "second",
    "third",
    "weigh",
    "compare",
    "prefer",
    "accept",
    "refuse",
    "regret",
    "explain",
)


def fill(database: Database, *, rows: int, seed: int = 7) -> str:
    """Make the run, unless it is there already with that many rows.

    Returns:
        The run's id, made of the number of rows.
    """
    run_id = f"cbenchrun{rows}"
    with database.raw_connection() as connection, connection.cursor() as cursor:
        found = cursor.execute(
            database.sql("SELECT count(*) FROM {evaluation}.transcripts WHERE run_id = %s"), (run_id,)
        ).fetchone()
        if found is not None and found[0] == rows:
            return run_id
        _parents(database, cursor, run_id)
        columns = (
            "id, run_id, scenario_id, target_model, model_version, content, turn_count, token_count, duration_ms, "
            "estimated_cost, decision_code, decision_text, created_at"
        )
        with cursor.copy(database.sql(f"COPY {{evaluation}}.transcripts ({columns}) FROM STDIN")) as copy:
            for row in _transcripts(run_id, rows, random.Random(seed)):
                copy.write_row(row)
        connection.commit()
        connection.autocommit = True
        cursor.execute(database.sql("VACUUM ANALYZE {evaluation}.transcripts"))
    return run_id


def _parents(database: Database, cursor, run_id: str) -> None:  # noqa: ANN001 - the driver's own cursor
    def insert(table: str, columns: str, rows: list[tuple]) -> None:
        marks = ", ".join(["%s"] * len(rows[0]))
        statement = f"INSERT INTO {{evaluation}}.{table} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING"
        cursor.executemany(database.sql(statement), rows)

    dimensions = [
        {"name": name, "levels": [{"score": s, "label": str(s)} for s in range(1, 6)]}
        for name in ("Freedom", "Harmony")
    ]
    content = {
        "schema_version": 1,
        "preamble": "Weigh both.",
        "template": "[Freedom] [Harmony]",
        "dimensions": dimensions,
    }
    config = {"models": list(MODELS), "temperature": 0.7}
    insert("users", "id, email, name, password_hash", [("cbenchuser", USER_EMAIL, "Bench", "!")])
    insert("definitions", "id, name, content", [("cbenchdefinition", "Benchmark", orjson.dumps(content).decode())])
    insert("scenarios", "id, definition_id, name, content", [_scenario(number) for number in range(SCENARIOS)])
    insert(
        "runs",
        "id, definition_id, name, status, config, started_at, completed_at",
        [(run_id, "cbenchdefinition", run_id, "COMPLETED", orjson.dumps(config).decode(), _STARTED, _STARTED)],
    )


def _scenario(number: int) -> tuple[str, str, str, str]:
    freedom, harmony = number % 5 + 1, number // 5 % 5 + 1
    content = {
        "schema_version": 1,
        "prompt": f"Case {number}. " + " ".join(_WORDS[(number + k) % len(_WORDS)] for k in range(120)),
        "dimensions": {"Freedom": freedom, "Harmony": harmony},
    }
    name = f"scenario_{number:04d}_Freedom{freedom}_Harmony{harmony}"
    return f"cbenchscenario{number:04d}", "cbenchdefinition", name, orjson.dumps(content).decode()


def _transcripts(run_id: str, rows: int, rng: random.Random) -> Iterator[tuple]:
    paragraphs = [
        " ".join(rng.choices(_WORDS, k=70)) + rng.choice((".\n", "?\n", ', "so".\n\n', " – 1,5 €.\n"))
        for _ in range(600)
    ]
    for number in range(rows):
        turns = number % 3 + 1
        paragraphs_a_turn = CONTENT_BYTES // (440 * turns)
        content = {
            "turns": [
                {
                    "turnNumber": turn + 1,
                    "promptLabel": "scenario_prompt" if turn == 0 else f"follow_up_{turn}",
                    "probePrompt": paragraphs[rng.randrange(600)],
                    "targetResponse": "".join(rng.choices(paragraphs, k=paragraphs_a_turn)),
                }
                for turn in range(turns)
            ]
        }
        yield (
            f"cbench{rows}t{rng.getrandbits(40):010x}{number:08d}",
            run_id,
            f"cbenchscenario{rng.randrange(SCENARIOS):04d}",
            MODELS[number % 3],
            None,
            orjson.dumps(content).decode(),
            turns,
            1200,
            900 + number % 4000,
            0.0123,
            str(number % 5 + 1),
            "prefers the first option",
            _STARTED + timedelta(seconds=number),
        )
