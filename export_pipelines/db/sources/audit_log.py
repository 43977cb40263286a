"""AUDIT_JSONL: a run of the audit log's chain, in its order."""

from collections.abc import Mapping
from typing import Any

from export_pipelines.core.positions import read_positions
from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.sources.source import Source, typed

# The data goes as text: its bytes, as they are, were hashed.
ROWS = """
SELECT a.position::int8 AS position, a.id::int8 AS id, a.at::timestamptz AS at, a.action::text AS action,
    a.job_id::text AS job_id, a.user_id::text AS user_id, a.address::text AS address,
    a.user_agent::text AS user_agent, a.additional_data::text AS additional_data,
    a.previous_hash::text AS previous_hash, a.hash::text AS hash
FROM {exports}.export_audit_logs a
WHERE a.position BETWEEN %(first)s AND %(last)s
ORDER BY a.position
"""

COUNT = "SELECT count(*) FROM {exports}.export_audit_logs a WHERE a.position BETWEEN %(first)s AND %(last)s"


def read_audit_log(snapshot: Snapshot, subject_id: str, options: Mapping[str, Any]) -> Source:
    """The rows from one position to another, like ``1-2000``; rows that are missing there are missing in the file.

    Raises:
        ValidationError: the positions cannot be read.
    """
    first, last = read_positions(subject_id)
    params = {"first": first, "last": last}
    return Source(
        context={"first": first, "last": last},
        sql=ROWS,
        params=params,
        columns=typed(
            position="int8",
            id="int8",
            at="timestamptz",
            action="text",
            job_id="text",
            user_id="text",
            address="text",
            user_agent="text",
            additional_data="text",
            previous_hash="text",
            hash="text",
        ),
        counted_rows=snapshot.value(COUNT, params),
    )
