"""SCENARIOS_YAML: a definition's scenarios in the order of their ids, which is that of their making.

Not by name: an import stores scenarios under their keys, which sort otherwise than the names they were made from, and
the next export must still give the same bytes.
"""

from collections.abc import Mapping
from typing import Any

from export_pipelines.core import scenarios
from export_pipelines.core.errors import ValidationError
from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.sources.definition import live_definition
from export_pipelines.db.sources.source import Source, typed

ROWS = """
SELECT s.id::text AS id, s.name::text AS name, s.content::jsonb AS content
FROM {evaluation}.scenarios s
WHERE s.definition_id = %(definition_id)s AND s.deleted_at IS NULL
ORDER BY s.id COLLATE "C"
"""


def read_scenarios(snapshot: Snapshot, subject_id: str, options: Mapping[str, Any]) -> Source:
    """The scenarios as rows; the context has the definition, and of each scenario what decides its key.

    Raises:
        NotFoundError: there is no such definition, or it is deleted.
        ValidationError: it has no scenarios.
        ContentError: a content cannot be read.
    """
    params = {"definition_id": subject_id}
    definition = live_definition(snapshot, subject_id)
    known = [_heading(row) for row in snapshot.stream_rows(ROWS, params)]
    if not known:
        raise ValidationError(f"Definition {definition['name']!r} has no scenarios yet; generate them first.")
    return Source(
        context={"definition": definition, "scenarios": known},
        sql=ROWS,
        params=params,
        columns=typed(id="text", name="text", content="jsonb"),
        counted_rows=len(known),
    )


def _heading(row: Mapping[str, Any]) -> dict[str, Any]:
    content = scenarios.read(row["content"], where=f"scenario {row['id']}")
    return {
        "id": row["id"],
        "name": row["name"],
        "dimensions": content.numeric_dimensions(),
        "preamble": content.preamble,
    }
