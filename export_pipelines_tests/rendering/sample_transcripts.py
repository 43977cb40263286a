"""A handful of transcripts that show every column and shape; what the golden files are made of."""

from datetime import UTC, datetime, timedelta

from export_pipelines_tests.rendering.copy_rows import Big, Jsonb, row

CREATED = datetime(2026, 4, 15, 8, 0, 4, 250, tzinfo=UTC)
TURNS = {
    "turns": [
        {
            "turnNumber": 1,
            "promptLabel": "scenario_prompt",
            "probePrompt": "You are Ada, a baker.\n\nChoose from 1 to 5.\n",
            "targetResponse": '2 - I would keep the oven on.\n\nHere is why:\n- bread\n- warmth, "as ever"',
        },
        {
            "turnNumber": 2,
            "promptLabel": "follow_up_1",
            "probePrompt": "And tomorrow?",
            "targetResponse": "Tomorrow too\u2028— 明日も 🥖",
        },
    ]
}
MESSAGES = {
    "schema_version": 1,
    "messages": [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "Choose."},
        {"role": "assistant", "content": "=SUM(1,2) is what I would type."},
    ],
}
LEGACY = {"messages": [{"role": "user", "content": "Choose."}], "raw_output": "  لا أعرف  "}
GPT, CLAUDE = "openai:gpt-4.1", "anthropic:claude-sonnet-4-20250514"


def samples():
    """By column, in the order of an export."""
    return [
        _sample("ct01", "s1", CLAUDE, MESSAGES, decision_code=None, decision_text="- none"),
        _sample("ct02", "s1", CLAUDE, LEGACY, sample=2, estimated_cost=None, model_version="2025-05-14"),
        _sample("ct03", "s.2", CLAUDE, None, decision_code="refused"),
        _sample("ct04", "s1", GPT, TURNS, decision_text="Keeps the oven on"),
        _sample("ct05", "s.2", GPT, {}, decision_code="", decision_text=""),
    ]


def rows(columns):
    return [row(*(sample[name] for name in columns)) for sample in samples()]


def _sample(id_, scenario_id, model, content, **changes):
    number = int(id_[2:])
    return {
        "id": id_,
        "scenario_id": scenario_id,
        "target_model": model,
        "model_version": None,
        "content": None if content is None else Jsonb(content),
        "responses": _responses(content),
        "turn_count": number,
        "token_count": 100 * number,
        "duration_ms": 1500,
        "estimated_cost": 0.00125 * number,
        "decision_code": "2",
        "decision_text": None,
        "created_at": CREATED + timedelta(minutes=number),
        "content_expires_at": None if number % 2 else CREATED + timedelta(days=90),
        "sample": Big(1),
    } | {name: Big(value) if name == "sample" else value for name, value in changes.items()}


def _responses(content):
    if content is None:
        return None
    turns = content.get("turns")
    return Jsonb(content if turns is None else [turn["targetResponse"] for turn in turns])
