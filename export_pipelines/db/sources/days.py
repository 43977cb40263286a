"""BULK_DAY_JSONL: the transcripts that were created on one UTC day, of whichever run."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from export_pipelines.core import scenarios
from export_pipelines.core.errors import ValidationError
from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.sources.source import Source, typed
from export_pipelines.db.sources.transcripts import TRANSCRIPT_COLUMNS

# The run of each row comes last, behind the columns that the transcripts of one run have too.
ROWS = """
SELECT t.id::text AS id, t.scenario_id::text AS scenario_id, t.target_model::text AS target_model,
    t.model_version::text AS model_version, t.content::jsonb AS content, t.turn_count::int4 AS turn_count,
    t.token_count::int4 AS token_count, t.duration_ms::int4 AS duration_ms, t.estimated_cost::float8 AS estimated_cost,
    t.decision_code::text AS decision_code, t.decision_text::text AS decision_text,
    t.created_at::timestamptz AS created_at, t.content_expires_at::timestamptz AS content_expires_at,
    t.run_id::text AS run_id
FROM {evaluation}.transcripts t JOIN {evaluation}.runs r ON r.id = t.run_id
WHERE t.created_at >= %(begin)s AND t.created_at < %(end)s AND t.deleted_at IS NULL AND r.deleted_at IS NULL
ORDER BY t.run_id COLLATE "C", t.target_model COLLATE "C", t.scenario_id COLLATE "C", t.id COLLATE "C"
"""

RUNS = """
SELECT r.id, r.definition_id, count(*) AS transcripts
FROM {evaluation}.transcripts t JOIN {evaluation}.runs r ON r.id = t.run_id
WHERE t.created_at >= %(begin)s AND t.created_at < %(end)s AND t.deleted_at IS NULL AND r.deleted_at IS NULL
GROUP BY r.id, r.definition_id
ORDER BY r.id COLLATE "C"
"""

# Also those deleted since: the transcripts still speak of them.
SCENARIOS = """
SELECT s.id, s.name, s.content
FROM {evaluation}.scenarios s
WHERE s.id IN (
    SELECT t.scenario_id
    FROM {evaluation}.transcripts t JOIN {evaluation}.runs r ON r.id = t.run_id
    WHERE t.created_at >= %(begin)s AND t.created_at < %(end)s AND t.deleted_at IS NULL AND r.deleted_at IS NULL
)
ORDER BY s.id COLLATE "C"
"""

COLUMNS = (*TRANSCRIPT_COLUMNS, *typed(run_id="text"))


def read_day(snapshot: Snapshot, subject_id: str, options: Mapping[str, Any]) -> Source:
    """Whole transcripts of the day, run by run; the context looks up each run's definition and each scenario.

    Raises:
        ValidationError: the day is not over; what is still to come would be missing.
        ContentError: a scenario's content cannot be read.
    """
    begin = datetime.combine(datetime.fromisoformat(subject_id).date(), time(), tzinfo=UTC)
    end = begin + timedelta(days=1)
    if snapshot.facts.taken_at < end:
        raise ValidationError(f"Day {subject_id} is not over yet (UTC); wait for its end, or give an earlier one.")
    params = {"begin": begin, "end": end}
    runs = snapshot.rows(RUNS, params)
    known = {
        row["id"]: {
            "id": row["id"],
            "name": row["name"],
            "dimensions": dict(content.dimensions),
            "prompt": content.prompt,
        }
        for row in snapshot.stream_rows(SCENARIOS, params)
        for content in (scenarios.read(row["content"], where=f"scenario {row['id']}"),)
    }
    return Source(
        context={"day": subject_id, "runs": {row["id"]: row["definition_id"] for row in runs}, "scenarios": known},
        sql=ROWS,
        params=params,
        columns=COLUMNS,
        counted_rows=sum(row["transcripts"] for row in runs),
    )
