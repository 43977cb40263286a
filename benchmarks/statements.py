r"""The best SQL known for having PostgreSQL build the files that exports build: what psql's ``\copy`` is given.

Chosen by measurement among a dozen: ``row_to_json`` of a subquery equals concatenated text and beats
``json_build_object``; scenarios come by a memoised lateral join, which a hash join of wide JSON is slower than; the
responses are picked by one JSON path and joined by place, for no transcript has more than three turns; models' short
names are spelled out, since two regular expressions a row cost a tenth of the time. Both statements keep the export's
order, which an index gives.
"""

from benchmarks.data import DEFINITION_ID, MODELS

MODEL_NAMES = ("claude-sonnet-4", "gemini-2.5-pro", "gpt-4.1")
BETWEEN = "E'\\n\\n---\\n\\n'"

_ROWS = """
WHERE t.run_id = '{run_id}' AND t.deleted_at IS NULL
ORDER BY t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C"
"""
_JSON = f"""
SELECT row_to_json(r) FROM (
    SELECT t.id AS transcript_id, t.run_id, '{DEFINITION_ID}' AS definition_id, t.scenario_id, t.target_model,
        t.model_version, t.turn_count, t.token_count, t.duration_ms, t.estimated_cost, t.decision_code, t.decision_text,
        t.created_at, t.content_expires_at, t.content, s.scenario
    FROM evaluation.transcripts t
    CROSS JOIN LATERAL (
        SELECT json_build_object('id', s.id, 'name', s.name, 'dimensions', s.content->'dimensions',
            'prompt', s.content->'prompt') AS scenario
        FROM evaluation.scenarios s WHERE s.id = t.scenario_id OFFSET 0
    ) s
    {_ROWS}
) r
"""
_CASES = " ".join(f"WHEN '{model}' THEN '{name}'" for model, name in zip(MODELS, MODEL_NAMES, strict=True))
_CSV = f"""
SELECT CASE t.target_model {_CASES} END AS "AI Model Name", s.freedom AS "Freedom", s.harmony AS "Harmony",
    coalesce(t.decision_code, 'pending') AS "Decision Code", t.decision_text AS "Decision Text",
    t.id AS "Transcript ID", concat_ws({BETWEEN}, c.picked->>0, c.picked->>1, c.picked->>2) AS "Target Response"
FROM evaluation.transcripts t
CROSS JOIN LATERAL (
    SELECT s.content->'dimensions'->>'Freedom' AS freedom, s.content->'dimensions'->>'Harmony' AS harmony
    FROM evaluation.scenarios s WHERE s.id = t.scenario_id OFFSET 0
) s
CROSS JOIN LATERAL (
    SELECT jsonb_path_query_array(t.content, '$.turns[*].targetResponse') AS picked OFFSET 0
) c
{_ROWS}
"""
# COPY's text format would escape the backslashes that JSON is full of; with quotes and delimiters that never occur its
# CSV format writes every line as it is.
_AS_IT_IS = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"


def json_lines(run_id: str) -> tuple[str, str]:
    """Statement and format of the file that BULK_JSONL makes."""
    return _JSON.replace("{run_id}", run_id), _AS_IT_IS


def summary_csv(run_id: str) -> tuple[str, str]:
    """Statement and format of the file that BULK_CSV makes with the profile ``summary``."""
    return _CSV.replace("{run_id}", run_id), "FORMAT csv, HEADER"
