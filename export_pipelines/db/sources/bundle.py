"""RUN_BUNDLE: the transcripts of a run, and all that stands beside them in its directory."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from export_pipelines.core.definitions import resolve, to_json
from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.sources.definition import chain, tags
from export_pipelines.db.sources.runs import RunFacts, instant, read_run
from export_pipelines.db.sources.source import Source, typed
from export_pipelines.db.sources.transcripts import BY_KEY, TRANSCRIPT_COLUMNS

# ``sample`` counts the transcripts of one scenario and one model, since a run may ask several times.
ROWS = """
SELECT t.id::text AS id, t.scenario_id::text AS scenario_id, t.target_model::text AS target_model,
    t.model_version::text AS model_version, t.content::jsonb AS content, t.turn_count::int4 AS turn_count,
    t.token_count::int4 AS token_count, t.duration_ms::int4 AS duration_ms, t.estimated_cost::float8 AS estimated_cost,
    t.decision_code::text AS decision_code, t.decision_text::text AS decision_text,
    t.created_at::timestamptz AS created_at, t.content_expires_at::timestamptz AS content_expires_at,
    ({before} + row_number() OVER (
        PARTITION BY t.target_model COLLATE "C", t.scenario_id COLLATE "C" ORDER BY t.id COLLATE "C"
    ))::int8 AS sample
FROM {evaluation}.transcripts t
WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL{range}
ORDER BY t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C"
"""

DEFINITION_SNAPSHOT = """
SELECT t.definition_snapshot
FROM {evaluation}.transcripts t
WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL AND t.definition_snapshot IS NOT NULL
ORDER BY t.id COLLATE "C"
LIMIT 1
"""

SCENARIOS = """
SELECT s.id, s.name, s.content
FROM {evaluation}.scenarios s
WHERE s.id = ANY(%(listed)s) OR s.id IN (
    SELECT t.scenario_id FROM {evaluation}.transcripts t WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL
)
ORDER BY s.name COLLATE "C", s.id COLLATE "C"
"""

MODELS = """
SELECT t.target_model AS id, min(t.model_version COLLATE "C") AS model_version
FROM {evaluation}.transcripts t
WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL
GROUP BY t.target_model
ORDER BY t.target_model COLLATE "C"
"""

ANALYSIS = """
SELECT a.analysis_type AS type, a.output, a.input_hash, a.code_version, a.created_at::timestamptz AS created_at
FROM {evaluation}.analysis_results a
WHERE a.run_id = %(run_id)s AND a.status::text = 'CURRENT'
ORDER BY a.analysis_type COLLATE "C"
"""

COLUMNS = (*TRANSCRIPT_COLUMNS, *typed(sample="int8"))


def read_bundle(snapshot: Snapshot, subject_id: str, options: Mapping[str, Any]) -> Source:
    """Whole transcripts; the context has the run, its definition as it was, scenarios, models and analyses.

    Raises:
        NotFoundError, ValidationError: as :func:`read_run`.
        ContentError: the definition's content cannot be read.
    """
    facts = read_run(snapshot, subject_id, options)
    params = {"run_id": subject_id}
    config = facts.run["config"]
    return Source(
        context={
            "run": facts.run,
            "definition": _definition(snapshot, facts),
            "scenarios": _scenarios(snapshot, params, _texts(config.get("scenario_ids"))),
            "models": _models(snapshot, params, _texts(config.get("models"))),
            "analysis": [{**row, "created_at": instant(row["created_at"])} for row in snapshot.rows(ANALYSIS, params)],
        },
        sql=ROWS,
        params=params,
        columns=COLUMNS,
        counted_rows=facts.counted_rows,
        partial=facts.partial,
        split=BY_KEY,
    )


def _definition(snapshot: Snapshot, facts: RunFacts) -> dict[str, Any]:
    """The definition as it was when the run started, where that was kept, else as it is; tags are always today's."""
    id_ = facts.definition["id"]
    levels = chain(snapshot, id_)
    kept = snapshot.value(DEFINITION_SNAPSHOT, {"run_id": facts.run["id"]})
    if kept is None:
        kept = facts.run["config"].get("definition_snapshot")
    name = facts.definition["name"]
    if kept is not None:
        # Some rows keep the content alone, others the definition with its name around it.
        whole = isinstance(kept.get("content"), Mapping)
        name = kept.get("name", name) if whole else name
        levels = [(id_, kept["content"] if whole else kept), *levels[1:]]
    return {"id": id_, "name": name, "tags": tags(snapshot, id_), "content": to_json(resolve(levels))}


def _scenarios(snapshot: Snapshot, params: Mapping[str, Any], listed: Sequence[str]) -> list[dict[str, Any]]:
    """Those the run was configured with, in its order, then any others its transcripts speak of, by name."""
    known = {row["id"]: row for row in snapshot.stream_rows(SCENARIOS, {**params, "listed": list(listed)})}
    return [known[id_] for id_ in _unique((*listed, *known)) if id_ in known]


def _models(snapshot: Snapshot, params: Mapping[str, Any], listed: Sequence[str]) -> list[dict[str, Any]]:
    """Those the run was configured with, in its order, then any others that answered, sorted."""
    versions = {row["id"]: row["model_version"] for row in snapshot.rows(MODELS, params)}
    return [{"id": id_, "model_version": versions.get(id_)} for id_ in _unique((*listed, *versions))]


def _texts(value: object) -> list[str]:
    """A configured list of ids, whether it holds them or objects that have them; anything else is no list."""
    if not isinstance(value, list):
        return []
    ids = [item.get("id") if isinstance(item, Mapping) else item for item in value]
    return [id_ for id_ in ids if isinstance(id_, str)]


def _unique(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))
