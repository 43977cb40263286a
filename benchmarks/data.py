"""Synthetic evaluation data of any size: completed runs with N transcripts of about 5 KB of JSONB each.

The same number of rows gives the same data, on every machine.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
import psycopg

from benchmarks.pseudo_text import sentences
from export_pipelines.db.database import Database

SEED = 7
MODELS = ("anthropic:claude-sonnet-4-20250514", "google:gemini-2.5-pro", "openai:gpt-4.1")
SCENARIOS = 1000
SENTENCES_AN_ANSWER = (40, 60)
"""About 4 KB on average in all of a transcript's responses; with prompts, keys and escapes it comes to 5 KB."""
SENTENCES_A_PROMPT = (4, 9)
SENTENCES_TO_SAY = 120
"""What one transcript draws from, so that it restates a little of itself, as models do; deflate gets 2.6 out of it."""
USER_ID = "cbenchuser"
USER_EMAIL = "bench@example.org"
DEFINITION_ID = "cbenchdefinition"

_STARTED = datetime(2026, 3, 1, tzinfo=UTC)
_COLUMNS = (
    "id, run_id, scenario_id, target_model, model_version, content, turn_count, token_count, duration_ms, "
    "estimated_cost, decision_code, decision_text, created_at"
)


def fill(database: Database, *, rows: int) -> str:
    """Make the run with so many transcripts, unless it is there already.

    Returns:
        The run's id.
    """
    # Ids are distinguished by their beginnings, so the longer number must not begin with the shorter.
    run_id = f"cbenchrun{rows:08d}"
    with database.raw_connection() as connection, connection.cursor() as cursor:
        if _is_there(database, cursor, run_id, rows=rows):
            return run_id
        cursor.execute(database.sql("DELETE FROM {evaluation}.runs WHERE id = %s"), (run_id,))
        _insert_parents(database, cursor, run_id)
        with cursor.copy(database.sql(f"COPY {{evaluation}}.transcripts ({_COLUMNS}) FROM STDIN")) as copy:
            for row in _transcripts(run_id, rows):
                copy.write_row(row)
        connection.commit()
        connection.autocommit = True
        cursor.execute(database.sql("VACUUM ANALYZE {evaluation}.transcripts"))
        cursor.execute("CHECKPOINT")
    return run_id


def _is_there(database: Database, cursor: psycopg.Cursor, run_id: str, *, rows: int) -> bool:
    statement = "SELECT count(*) FROM {evaluation}.transcripts WHERE run_id = %s"
    found = cursor.execute(database.sql(statement), (run_id,)).fetchone()
    return found is not None and found[0] == rows


def _insert_parents(database: Database, cursor: psycopg.Cursor, run_id: str) -> None:
    def insert(table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join(["%s"] * len(rows[0]))
        statement = f"INSERT INTO {{evaluation}}.{table} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING"
        cursor.executemany(database.sql(statement), rows)

    config = orjson.dumps({"models": MODELS, "temperature": 0.7}).decode()
    insert("users", "id, email, name, password_hash", [(USER_ID, USER_EMAIL, "Bench", "!")])
    insert("definitions", "id, name, content", [(DEFINITION_ID, "Benchmark", orjson.dumps(_definition()).decode())])
    insert("scenarios", "id, definition_id, name, content", list(_scenarios()))
    insert(
        "runs",
        "id, definition_id, name, status, config, started_at, completed_at",
        [(run_id, DEFINITION_ID, run_id, "COMPLETED", config, _STARTED, _STARTED)],
    )


def _definition() -> dict[str, Any]:
    levels = [{"score": score, "label": str(score)} for score in range(1, 6)]
    return {
        "schema_version": 1,
        "preamble": "Weigh both.",
        "template": "[Freedom] [Harmony]",
        "dimensions": [{"name": name, "levels": levels} for name in ("Freedom", "Harmony")],
    }


def _scenarios() -> Iterator[tuple[str, str, str, str]]:
    rng = random.Random(SEED)
    for number in range(SCENARIOS):
        freedom, harmony = number % 5 + 1, number // 5 % 5 + 1
        content = {
            "schema_version": 1,
            "prompt": f"Case {number}. " + "".join(rng.choices(_pool(), k=9)),
            "dimensions": {"Freedom": freedom, "Harmony": harmony},
        }
        name = f"scenario_{number:04d}_Freedom{freedom}_Harmony{harmony}"
        yield _scenario_id(number), DEFINITION_ID, name, orjson.dumps(content).decode()


def _scenario_id(number: int) -> str:
    return f"cbenchscenario{number:04d}"


def _transcripts(run_id: str, rows: int) -> Iterator[tuple[Any, ...]]:
    rng, pool = random.Random(SEED + rows), _pool()
    for number in range(rows):
        turns = number % 3 + 1
        yield (
            f"cbench{rows}t{rng.getrandbits(40):010x}{number:08d}",
            run_id,
            _scenario_id(rng.randrange(SCENARIOS)),
            MODELS[number % 3],
            None,
            orjson.dumps(_content(pool, rng, turns=turns)).decode(),
            turns,
            1200,
            900 + number % 4000,
            0.0123,
            str(number % 5 + 1),
            "prefers the first option",
            _STARTED + timedelta(seconds=number),
        )


def _content(pool: Sequence[str], rng: random.Random, *, turns: int) -> dict[str, Any]:
    to_say = rng.choices(pool, k=SENTENCES_TO_SAY)
    answer = rng.choices(to_say, k=rng.randint(*SENTENCES_AN_ANSWER) - 3 * (turns - 1))
    size = len(answer) // turns
    return {
        "turns": [
            {
                "turnNumber": turn + 1,
                "promptLabel": "scenario_prompt" if turn == 0 else f"follow_up_{turn}",
                "probePrompt": "".join(rng.choices(to_say, k=rng.randint(*SENTENCES_A_PROMPT))),
                "targetResponse": "".join(answer[turn * size : (turn + 1) * size]),
            }
            for turn in range(turns)
        ]
    }


@cache
def _pool() -> Sequence[str]:
    return sentences(random.Random(SEED))
