"""The audit log as a chain: its rows with the texts their hashes are made of, its end, and its checkpoints."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select

from export_pipelines.core.audit import ChainedRow, Checkpoint, Link
from export_pipelines.core.errors import ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.snapshot import Snapshot
from export_pipelines.db.tables import AuditCheckpointRow, AuditHead

MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

_COLUMNS = f"""
SELECT position, id, {MOMENT.format("at")} AS at, action, job_id, user_id, address, user_agent,
    additional_data::text AS additional_data, previous_hash, hash
FROM {{exports}}.export_audit_logs
"""  # noqa: S608 - put together from constants

ROWS = f"""{_COLUMNS}
WHERE position IS NULL OR position > %(after)s
ORDER BY position NULLS LAST, id
"""

SOME_ROWS = f"""{_COLUMNS}
WHERE position > %(after)s AND position <= %(last)s
ORDER BY position
"""

HEAD = "SELECT position, hash FROM {exports}.export_audit_head"

CHECKPOINTS = f"""
SELECT number, position, hash, {MOMENT.format("taken_at")} AS taken_at, key_id, signature
FROM {{exports}}.export_audit_checkpoints
ORDER BY number
"""  # noqa: S608 - put together from constants


def rows(snapshot: Snapshot, *, after: int = 0) -> Iterator[ChainedRow]:
    """The rows after that position in the order of the chain, then those that have no place in it."""
    for row in snapshot.stream_rows(ROWS, {"after": after}):
        yield ChainedRow(**row)


def some_rows(snapshot: Snapshot, *, after: int, last: int) -> Iterator[ChainedRow]:
    """The rows after one position up to another, in the order of the chain."""
    for row in snapshot.stream_rows(SOME_ROWS, {"after": after, "last": last}):
        yield ChainedRow(**row)


def head(snapshot: Snapshot) -> Link:
    """Where the chain ends, by its own account.

    Raises:
        ValidationError: the account itself was removed.
    """
    found = snapshot.rows(HEAD)
    if not found:
        raise ValidationError(
            "export_audit_head has no row, so nothing can be audited any more; somebody removed it. Look at the log "
            "with `export-pipelines audit list`, and restore the row from a backup or by the last row of the chain."
        )
    return Link(**found[0])


def position(database: Database) -> int:
    """The position of the last row; 0 for an empty log."""
    with database.transaction() as session:
        return session.scalar(select(AuditHead.position)) or 0


def checkpoints(snapshot: Snapshot) -> tuple[Checkpoint, ...]:
    """All checkpoints, the oldest first."""
    return tuple(Checkpoint(**row) for row in snapshot.rows(CHECKPOINTS))


def add_checkpoint(database: Database, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint.

    Raises:
        ConflictError: somebody else made one of that number meanwhile.
    """
    with database.transaction() as session:
        session.add(
            AuditCheckpointRow(
                number=checkpoint.number,
                position=checkpoint.position,
                hash=checkpoint.hash,
                taken_at=datetime.fromisoformat(checkpoint.taken_at),
                key_id=checkpoint.key_id,
                signature=checkpoint.signature,
            )
        )
