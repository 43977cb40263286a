"""Texts that break careless writers, and rows of transcripts made of them."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from export_pipelines_tests.rendering.copy_rows import Jsonb

FRAGMENTS = [
    "\n", "\r", "\r\n", "\t", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\ufeff", "\u00a0", " ", "  ",
    "---", "\n---\n", "# ", "## ", "|", ",", ";", ":", "'", '"', '""', "\\", "\\n", "\\ud800", "\\u0000", "{", "[",
    "%s", "=1+1",
    "+", "-5", "@SUM(A1)", "＝1", "＋", "－", "＠", "a", "Freedom", "é", "日本", "שלום", "مرحبا", "👩‍👩‍👧", "𝔘",
    "\x01", "\x7f", "null", "schema_version", '"schema_version": 9',
]  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join),
    st.text(CHARACTERS, max_size=30),
)
WORDS = st.one_of(st.from_regex(r"[a-z][0-9a-z]{2,8}", fullmatch=True), TEXTS)
INTEGERS = st.integers(-(2**31), 2**31 - 1)
TIMES = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def optional(strategy):
    return st.one_of(st.none(), strategy)


@st.composite
def turns(draw, texts=TEXTS, *, at_most=3):
    return [
        {"turnNumber": n, "promptLabel": draw(WORDS), "probePrompt": draw(texts), "targetResponse": draw(texts)}
        for n in range(1, draw(st.integers(0, at_most)) + 1)
    ]


@st.composite
def contents(draw, texts=TEXTS):
    """Stored content in each of its three shapes, or empty."""
    shape = draw(st.sampled_from(["turns", "messages", "legacy", "empty"]))
    if shape == "empty":
        return {}
    if shape == "turns":
        return {"turns": draw(turns(texts))}
    messages = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": texts})
    content = {"messages": draw(st.lists(messages, max_size=4))}
    if draw(st.booleans()):
        content[draw(st.sampled_from(["model_response", "raw_output"]))] = draw(texts)
    return content if shape == "legacy" else {"schema_version": 1, **content}


def facts(content):
    """The other columns of a transcript by name, ``content`` as given."""
    return st.fixed_dictionaries(
        {
            "id": WORDS,
            "scenario_id": st.sampled_from(["s1", "s.2", "sé3"]),
            "target_model": st.sampled_from(["openai:gpt-4.1", "anthropic:claude-sonnet-4-20250514", "=m"]),
            "model_version": optional(WORDS),
            "content": optional(content.map(Jsonb)),
            "turn_count": optional(INTEGERS),
            "token_count": optional(INTEGERS),
            "duration_ms": optional(INTEGERS),
            "estimated_cost": optional(st.floats()),
            "decision_code": optional(WORDS),
            "decision_text": optional(TEXTS),
            "created_at": TIMES,
            "content_expires_at": optional(TIMES),
        }
    )
