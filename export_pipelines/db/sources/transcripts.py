"""BULK_JSONL, BULK_CSV and BULK_PARQUET: the transcripts of a run, whole or only what a table shows of them."""

from collections.abc import Mapping
from typing import Any

from export_pipelines.core.frozen import Column
from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.sources.runs import read_run, read_scenarios_of
from export_pipelines.db.sources.source import Source, Split, typed

TRANSCRIPTS = """
SELECT t.id::text AS id, t.scenario_id::text AS scenario_id, t.target_model::text AS target_model,
    t.model_version::text AS model_version, t.content::jsonb AS content, t.turn_count::int4 AS turn_count,
    t.token_count::int4 AS token_count, t.duration_ms::int4 AS duration_ms, t.estimated_cost::float8 AS estimated_cost,
    t.decision_code::text AS decision_code, t.decision_text::text AS decision_text,
    t.created_at::timestamptz AS created_at, t.content_expires_at::timestamptz AS content_expires_at
FROM {evaluation}.transcripts t
WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL{range}
ORDER BY t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C"
"""

# Of content in the shape with turns a table needs the responses alone, which are a fraction of it. One look decides and
# picks: every further mention of content would unpack the stored value once more. The path gives nothing for content
# of other shapes, and for turns that lack a response (which would lose their place); those are sent whole, and read
# by the renderer. OFFSET 0 keeps the planner from writing the look out twice.
RESPONSES = """
SELECT t.id::text AS id, t.scenario_id::text AS scenario_id, t.target_model::text AS target_model,
    t.model_version::text AS model_version,
    CASE WHEN look.responses = '[]' THEN t.content::jsonb ELSE look.responses END AS responses,
    t.turn_count::int4 AS turn_count, t.token_count::int4 AS token_count, t.duration_ms::int4 AS duration_ms,
    t.estimated_cost::float8 AS estimated_cost, t.decision_code::text AS decision_code,
    t.decision_text::text AS decision_text, t.created_at::timestamptz AS created_at
FROM {evaluation}.transcripts t
CROSS JOIN LATERAL (
    SELECT jsonb_path_query_array(
        t.content::jsonb,
        '$ ? (@.turns.type() == "array" && !exists(@.schema_version)
            && !exists(@.turns[*] ? (!exists(@.targetResponse)))).turns[*].targetResponse'
    ) AS responses
    OFFSET 0
) look
WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL{range}
ORDER BY t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C"
"""

# One scan of the index alone, since both windows have its order.
BY_KEY = Split(
    keys=("target_model", "scenario_id", "id"),
    boundaries="""
SELECT placed.target_model, placed.scenario_id, placed.id, placed.before
FROM (
    SELECT t.target_model, t.scenario_id, t.id,
        row_number() OVER (
            ORDER BY t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C"
        ) - 1 AS place,
        row_number() OVER (
            PARTITION BY t.target_model COLLATE "C", t.scenario_id COLLATE "C" ORDER BY t.id COLLATE "C"
        ) - 1 AS before
    FROM {evaluation}.transcripts t
    WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL
) placed
WHERE placed.place %% %(range_rows)s = 0
ORDER BY placed.place
""",
    begin="""(t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C")
        >= (%(from_target_model)s, %(from_scenario_id)s, %(from_id)s)""",
    end="""(t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C")
        < (%(to_target_model)s, %(to_scenario_id)s, %(to_id)s)""",
    before="""CASE WHEN t.target_model COLLATE "C" = %(from_target_model)s
        AND t.scenario_id COLLATE "C" = %(from_scenario_id)s THEN %(from_before)s ELSE 0 END""",
)

_BEFORE = {"id": "text", "scenario_id": "text", "target_model": "text", "model_version": "text"}
_AFTER = {
    "turn_count": "int4",
    "token_count": "int4",
    "duration_ms": "int4",
    "estimated_cost": "float8",
    "decision_code": "text",
    "decision_text": "text",
    "created_at": "timestamptz",
}
TRANSCRIPT_COLUMNS = typed(**_BEFORE, content="jsonb", **_AFTER, content_expires_at="timestamptz")
RESPONSE_COLUMNS = typed(**_BEFORE, responses="jsonb", **_AFTER)


def read_transcripts(snapshot: Snapshot, subject_id: str, options: Mapping[str, Any]) -> Source:
    """Whole transcripts; the context looks up each scenario's name, numeric dimensions and prompt by its id.

    Raises:
        NotFoundError, ValidationError: as :func:`read_run`.
        ContentError: a scenario's content cannot be read.
    """
    facts = read_run(snapshot, subject_id, options)
    known = {
        id_: {"id": id_, "name": name, "dimensions": dict(content.dimensions), "prompt": content.prompt}
        for id_, name, content in read_scenarios_of(snapshot, subject_id)
    }
    return Source(
        context={"run": facts.run, "definition": facts.definition, "scenarios": known},
        sql=TRANSCRIPTS,
        params={"run_id": subject_id},
        columns=TRANSCRIPT_COLUMNS,
        counted_rows=facts.counted_rows,
        partial=facts.partial,
        split=BY_KEY,
    )


def read_responses(snapshot: Snapshot, subject_id: str, options: Mapping[str, Any]) -> Source:
    """Transcripts with their responses only; the context also names the dimensions that have numeric scores.

    ``responses`` is an array of the turns' responses in their order (null where a response is null), an object where
    the content is to be read by the renderer, and NULL where it has expired.

    Raises:
        NotFoundError, ValidationError: as :func:`read_run`.
        ContentError: a scenario's content cannot be read.
    """
    return _scored(snapshot, subject_id, options, sql=RESPONSES, columns=RESPONSE_COLUMNS)


def read_table(snapshot: Snapshot, subject_id: str, options: Mapping[str, Any]) -> Source:
    """Whole transcripts; the context names the dimensions that have numeric scores.

    Raises:
        NotFoundError, ValidationError: as :func:`read_run`.
        ContentError: a scenario's content cannot be read.
    """
    return _scored(snapshot, subject_id, options, sql=TRANSCRIPTS, columns=TRANSCRIPT_COLUMNS)


def _scored(
    snapshot: Snapshot, subject_id: str, options: Mapping[str, Any], *, sql: str, columns: tuple[Column, ...]
) -> Source:
    """A source whose context looks up each scenario's name and numeric dimensions by its id."""
    facts = read_run(snapshot, subject_id, options)
    known = {
        id_: {"id": id_, "name": name, "dimensions": content.numeric_dimensions()}
        for id_, name, content in read_scenarios_of(snapshot, subject_id)
    }
    names = sorted({name for scenario in known.values() for name in scenario["dimensions"]})
    return Source(
        context={"run": facts.run, "definition": facts.definition, "scenarios": known, "dimension_names": names},
        sql=sql,
        params={"run_id": subject_id},
        columns=columns,
        counted_rows=facts.counted_rows,
        partial=facts.partial,
        split=BY_KEY,
    )
