"""Evaluation runs that complete while the deployment is soaked: copies of a run of the demonstration data."""

import time

from export_pipelines.core.ids import new_id
from export_pipelines.db.database import Database

TRANSCRIPTS = 12
"""Enough for more than one model."""

_RUN = """INSERT INTO evaluation.runs
SELECT (jsonb_populate_record(r, jsonb_build_object('id', %s::text, 'status', 'RUNNING', 'completed_at', NULL))).*
FROM evaluation.runs r WHERE id = %s"""
_TRANSCRIPTS = """INSERT INTO evaluation.transcripts
SELECT (jsonb_populate_record(t, jsonb_build_object('id', 'c' || left(md5(%s || t.id), 24), 'run_id', %s::text))).*
FROM evaluation.transcripts t WHERE run_id = %s AND deleted_at IS NULL ORDER BY id LIMIT %s"""
_COMPLETE = "UPDATE evaluation.runs SET status = 'COMPLETED', completed_at = now() WHERE id = ANY(%s)"


def complete(database: Database, *, of: str, number: int, unseen_seconds: float) -> list[str]:
    """Copy the run so many times and complete all copies in one transaction; their ids.

    Others see them complete only after so many seconds, as of an application that commits late.
    """
    ids = [new_id() for _ in range(number)]
    with database.raw_connection() as connection:
        for run_id in ids:
            connection.execute(_RUN.encode(), [run_id, of])
            connection.execute(_TRANSCRIPTS.encode(), [run_id, run_id, of, TRANSCRIPTS])
        connection.commit()
        connection.execute(_COMPLETE.encode(), [ids])
        time.sleep(unseen_seconds)
        connection.commit()
    return ids
