"""Somebody who writes at full speed and keeps two promises: what a run's row says of its transcripts is always true.

The loop runs inside PostgreSQL, on a connection of its own, so it is as quick as the database and takes nothing from
the process that exports.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from export_pipelines.db.database import Database

_PROMISES = """
UPDATE evaluation.runs SET config = config || (
    SELECT jsonb_build_object('live', count(*), 'tokens', sum(token_count), 'commits', 0)
    FROM evaluation.transcripts WHERE run_id = {run} AND deleted_at IS NULL
) WHERE id = {run}
"""

# Most transactions put as many transcripts in as they take out, so that counting rows alone would not tell instants
# apart; the tokens would. Now and then the number changes too.
_WRITE = """
DO $$
DECLARE
    grow int; arrived bigint; arrived_tokens bigint; left_ bigint; left_tokens bigint; turn bigint := 0;
BEGIN
    LOOP
        turn := turn + 1;
        grow := CASE turn % 8 WHEN 0 THEN 1 WHEN 4 THEN -1 ELSE 0 END;
        WITH gone AS (
            UPDATE evaluation.transcripts SET deleted_at = clock_timestamp() WHERE id IN (
                SELECT id FROM evaluation.transcripts WHERE run_id = {run} AND deleted_at IS NULL
                ORDER BY random() LIMIT 3 - grow
            ) RETURNING token_count
        ) SELECT count(*), sum(token_count) INTO left_, left_tokens FROM gone;
        WITH born AS (
            INSERT INTO evaluation.transcripts (id, run_id, scenario_id, target_model, content, turn_count, token_count)
            SELECT 'w' || turn || '-' || number, run_id, scenario_id, target_model, content, turn_count,
                (random() * 10000)::int
            FROM generate_series(1, 3) number CROSS JOIN LATERAL (
                SELECT * FROM evaluation.transcripts WHERE run_id = {run} AND deleted_at IS NULL AND number > 0
                ORDER BY random() LIMIT 1
            ) model
            RETURNING token_count
        ) SELECT count(*), sum(token_count) INTO arrived, arrived_tokens FROM born;
        UPDATE evaluation.runs SET config = config || jsonb_build_object(
            'live', (config->>'live')::bigint + arrived - left_,
            'tokens', (config->>'tokens')::bigint + arrived_tokens - left_tokens,
            'commits', turn
        ) WHERE id = {run};
        COMMIT;
    END LOOP;
END $$
"""


@dataclass(frozen=True, kw_only=True)
class Promises:
    """What the run's row says of its transcripts.

    Attributes:
        live: how many there are.
        tokens: the sum of their tokens.
    """

    live: int
    tokens: int


@contextmanager
def writing(database: Database, run_id: str) -> Iterator[None]:
    """Write to the run's transcripts for the time of the block."""
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(sql.SQL(_PROMISES).format(run=sql.Literal(run_id)))

        def write() -> None:
            # Stopped in the middle of a transaction, which is rolled back like any other.
            try:
                connection.execute(sql.SQL(_WRITE).format(run=sql.Literal(run_id)))
            except errors.QueryCanceled:
                return

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
            assert thread.is_alive(), "the writer gave up"
        finally:
            while thread.is_alive():
                connection.cancel_safe(timeout=5)
                thread.join(timeout=0.1)


def commits(database: Database, run_id: str) -> int:
    """How many transactions the writer has committed so far."""
    with database.raw_connection() as connection:
        row = connection.execute("SELECT config->>'commits' FROM evaluation.runs WHERE id = %s", [run_id]).fetchone()
    assert row is not None
    return int(row[0])


class EachForItself(psycopg.Connection[tuple[object, ...]]):
    """A connection whose every statement sees the newest rows, whatever was asked for: the snapshot is turned off."""

    def _set_isolation_level_gen(self, value: psycopg.IsolationLevel | None):
        return super()._set_isolation_level_gen(value and psycopg.IsolationLevel.READ_COMMITTED)

    def execute(self, query, params=None, **more):
        if b"SET TRANSACTION SNAPSHOT" in (query if isinstance(query, bytes) else str(query).encode()):
            query = b"SELECT 1"
        return super().execute(query, params, **more)


class WithoutSnapshot(Database):
    """The database as it would be read if nobody took a snapshot."""

    @contextmanager
    def raw_connection(self, *, autocommit: bool = False) -> Iterator[psycopg.Connection]:
        """As the project's, of the other class."""
        with super().raw_connection(autocommit=autocommit) as connection:
            connection.__class__ = EachForItself
            yield connection
