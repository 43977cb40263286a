"""Leases: whether anybody works on a job right now, known at once also when a worker was killed.

A lease is a session-level advisory lock on a connection of its own. The kernel closes a dead process's connection and
PostgreSQL lets go of its locks, so no clock is asked. (A pooler that shares sessions would break this: give the
project a direct connection.) A lease is not what keeps writes apart; attempts are.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors

from export_pipelines.core.errors import ConflictError
from export_pipelines.db.database import Database

# The connection says nothing while the work goes on. (Where a worker's machine vanishes without closing anything, the
# keepalives that every connection of ours has end the lease within half a minute.)
_SETTINGS = "SET idle_session_timeout = 0"


@contextmanager
def hold(database: Database, job_id: str, *, exclusive: bool = False, wait_seconds: int = 0) -> Iterator[None]:
    """Hold the job's lease for the time of the block, shared with the job's other steps unless ``exclusive``.

    Raises:
        ConflictError: somebody holds it in a way that excludes this one, and still does after ``wait_seconds``.
    """
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(_SETTINGS)
        if not _take(connection, job_id, shared="" if exclusive else "_shared", wait_seconds=wait_seconds):
            raise ConflictError(f"Export job {job_id} is being worked on by somebody else right now; wait for it.")
        try:
            yield
        finally:
            # Closing alone would let go a moment later, when the server comes to it. A connection that is gone has let
            # go already.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock_all()")


def _take(connection: psycopg.Connection[tuple[Any, ...]], job_id: str, *, shared: str, wait_seconds: int) -> bool:
    if not wait_seconds:
        return connection.execute(f"SELECT pg_try_advisory_lock{shared}(%s)", [_key(job_id)]).fetchone() == (True,)
    connection.execute(f"SET lock_timeout = '{wait_seconds}s'".encode())
    try:
        connection.execute(f"SELECT pg_advisory_lock{shared}(%s)", [_key(job_id)])
    except errors.LockNotAvailable:
        return False
    return True


def is_held(database: Database, job_id: str) -> bool:
    """Whether anybody, perhaps this process, holds the job's lease; looks without taking it."""
    number = _key(job_id) % 2**64
    with database.raw_connection(autocommit=True) as connection:
        found = connection.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid::bigint = %s AND objid::bigint = %s)",
            [number >> 32, number % 2**32],
        ).fetchone()
    return found == (True,)


def _key(job_id: str) -> int:
    """The 64-bit number, signed, that stands for the job; the prefix keeps clear of other programs' locks."""
    digest = hashlib.sha256(f"export-pipelines lease {job_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
