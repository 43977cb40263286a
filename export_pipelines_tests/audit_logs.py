"""Audit logs for tests: chains made in memory, and what somebody with the database's password can do to a real one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from export_pipelines.core.audit import GENESIS, ChainedRow, Link, hash_of
from export_pipelines.db.database import Database

LOG = "exports.export_audit_logs"


def row(number: int, **fields: Any) -> ChainedRow:
    """A row that is not chained yet."""
    values: dict[str, Any] = {
        "position": number,
        "id": number * 10,
        "at": f"2026-03-01T12:00:{number % 60:02d}.000000Z",
        "action": "downloaded",
        "job_id": f"cjob{number}",
        "user_id": None,
        "address": "192.0.2.7",
        "user_agent": None,
        "additional_data": "{}",
        "previous_hash": None,
        "hash": None,
    }
    return ChainedRow(**{**values, **fields})


def chained(rows: Sequence[ChainedRow], *, after: Link | None = None) -> list[ChainedRow]:
    """The rows as an honest database would have chained them, numbered anew."""
    end = after or Link(position=0, hash=GENESIS)
    made = []
    for unchained in rows:
        linked = replace(unchained, position=end.position + 1, previous_hash=end.hash)
        made.append(replace(linked, hash=hash_of(linked)))
        end = Link(position=end.position + 1, hash=str(made[-1].hash))
    return made


def head_of(rows: Sequence[ChainedRow]) -> Link:
    """Where the chain ends."""
    return Link(position=rows[-1].position or 0, hash=str(rows[-1].hash))


def tamper(database: Database, *statements: str) -> None:
    """Change the log as its owner can, past all triggers."""
    with database.raw_connection() as connection:
        connection.execute(f"ALTER TABLE {LOG} DISABLE TRIGGER USER".encode())
        for statement in statements:
            connection.execute(statement.format(log=LOG).encode())
        connection.execute(f"ALTER TABLE {LOG} ENABLE TRIGGER USER".encode())
        connection.commit()


REWRITE = """
DO $$
DECLARE entry exports.export_audit_logs;
BEGIN
    UPDATE exports.export_audit_head SET position = 0, hash = repeat('0', 64);
    UPDATE exports.export_audit_logs SET position = NULL, previous_hash = NULL, hash = NULL;
    FOR entry IN SELECT * FROM exports.export_audit_logs ORDER BY id LOOP
        PERFORM exports.chain_audit_row(entry);
    END LOOP;
END
$$
"""
"""Computes the whole chain anew, so that the log agrees with itself again."""
