"""What every export of a run begins with: the run itself, whether it may be exported, and its scenarios."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from export_pipelines.core import scenarios
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.db.snapshot import Snapshot

RUN = """
SELECT r.id, r.name, r.status::text AS status, r.config, r.deleted_at, d.id AS definition_id, d.name AS definition_name,
    r.created_at::timestamptz AS created_at, r.started_at::timestamptz AS started_at,
    r.completed_at::timestamptz AS completed_at
FROM {evaluation}.runs r JOIN {evaluation}.definitions d ON d.id = r.definition_id
WHERE r.id = %(run_id)s
"""

COUNT = """
SELECT count(*) FROM {evaluation}.transcripts t WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL
"""

# Also those deleted since: the transcripts still speak of them.
SCENARIOS = """
SELECT s.id, s.name, s.content
FROM {evaluation}.scenarios s
WHERE s.id IN (
    SELECT t.scenario_id FROM {evaluation}.transcripts t WHERE t.run_id = %(run_id)s AND t.deleted_at IS NULL
)
ORDER BY s.id COLLATE "C"
"""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """A run that may be exported.

    Attributes:
        run: ``id``, ``name``, ``status``, ``created_at``, ``started_at``, ``completed_at`` (ISO 8601, UTC), ``config``.
        definition: ``id`` and ``name`` of its definition as it is now.
        counted_rows: its transcripts that are not deleted.
        partial: it is not finished.
    """

    run: dict[str, Any]
    definition: dict[str, Any]
    counted_rows: int
    partial: bool


def read_run(snapshot: Snapshot, run_id: str, options: Mapping[str, Any]) -> RunFacts:
    """The run, when it may be exported.

    Raises:
        NotFoundError: there is no such run, or it is deleted.
        ValidationError: it is not finished, and ``allow_partial`` is not set.
    """
    found = snapshot.rows(RUN, {"run_id": run_id})
    if not found or found[0]["deleted_at"] is not None:
        raise NotFoundError(f"Run {run_id!r} {'is deleted' if found else 'does not exist'}; choose another one.")
    row = found[0]
    partial = row["status"] != "COMPLETED"
    if partial and options.get("allow_partial") is not True:
        raise ValidationError(
            f"Run {run_id} is {row['status']} and not COMPLETED; wait for it, or set allow_partial=true to export what "
            "is there so far."
        )
    times = {name: instant(row[name]) for name in ("created_at", "started_at", "completed_at")}
    return RunFacts(
        run={**{name: row[name] for name in ("id", "name", "status")}, **times, "config": row["config"]},
        definition={"id": row["definition_id"], "name": row["definition_name"]},
        counted_rows=snapshot.value(COUNT, {"run_id": run_id}),
        partial=partial,
    )


def read_scenarios_of(snapshot: Snapshot, run_id: str) -> Iterator[tuple[str, str, ScenarioContent]]:
    """Id, name and content of the scenarios that the run's transcripts speak of, ordered by id.

    Raises:
        ContentError: a content cannot be read.
    """
    for row in snapshot.stream_rows(SCENARIOS, {"run_id": run_id}):
        yield row["id"], row["name"], scenarios.read(row["content"], where=f"scenario {row['id']}")


def instant(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with a ``Z``; fractions of a second only where there are any."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
