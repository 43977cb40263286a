"""One instant of the database, held for as long as an export reads: rows, values, and raw COPY streams from it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from export_pipelines.core.frozen import SnapshotFacts
from export_pipelines.db.copying import tuples
from export_pipelines.db.database import Database

Params = Mapping[str, Any]
Connection = psycopg.Connection[tuple[Any, ...]]

_CANCEL_SECONDS = 5.0
_ROWS_A_FETCH = 1_000
_TRANSACTION_TIMEOUT_SINCE = 170_000


class Snapshot:
    """A reading transaction; everything read through it is of the same instant.

    Statements say ``{evaluation}`` for the schema and ``%(name)s`` for parameters.

    Attributes:
        facts: which instant it is.
    """

    def __init__(self, database: Database, connection: Connection, facts: SnapshotFacts) -> None:
        self.facts = facts
        self._database = database
        self._connection = connection
        self._readers: set[Snapshot] = set()

    def rows(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        """All rows, by column name: for small results."""
        with self._database.translated(), self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(self._database.sql(sql), params).fetchall()

    def value(self, sql: str, params: Params | None = None) -> Any:  # noqa: ANN401 - whatever the column holds
        """The first column of the first row, None when there is no row."""
        with self._database.translated(), self._connection.cursor() as cursor:
            row = cursor.execute(self._database.sql(sql), params).fetchone()
        return None if row is None else row[0]

    def stream_rows(self, sql: str, params: Params | None = None) -> Iterator[dict[str, Any]]:
        """Rows one after the other through a server-side cursor, in constant memory."""
        with (
            self._database.translated(),
            self._connection.cursor("snapshot_rows", row_factory=dict_row) as cursor,
        ):
            cursor.itersize = _ROWS_A_FETCH
            yield from cursor.execute(self._database.sql(sql), params)

    def copy(self, sql: str, params: Params | None = None) -> Iterator[bytes]:
        """The rows as binary COPY tuples, one a row, byte for byte as PostgreSQL sent them."""
        statement = f"COPY ({self._database.sql(sql)}) TO STDOUT (FORMAT BINARY)"
        with self._database.translated():
            yield from tuples(self._connection, statement, params)

    def cancel(self) -> None:
        """Have the server give up what it does for this snapshot, on all its connections; any thread may ask for it."""
        self.cancel_readers()
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=_CANCEL_SECONDS)

    def cancel_readers(self) -> None:
        """The same for the connections that read beside this one."""
        # A copy in one step, for readers come and go meanwhile.
        for reader in self._readers.copy():
            reader.cancel()

    @contextmanager
    def reader(self) -> Iterator["Snapshot"]:
        """Another connection at the same instant, for reading in parallel; valid while this snapshot is held."""
        with _reading(self._database) as connection:
            # The id was made by PostgreSQL, and the statement takes no parameters.
            connection.execute(f"SET TRANSACTION SNAPSHOT '{self.facts.id}'".encode())
            _limit(self._database, connection)
            reader = Snapshot(self._database, connection, self.facts)
            self._readers.add(reader)
            try:
                yield reader
            finally:
                self._readers.discard(reader)


@contextmanager
def open_snapshot(database: Database, *, seconds: int | None = None) -> Iterator[Snapshot]:
    """Take a snapshot and hold it for the time of the block; whatever runs when the block is left is cancelled.

    With ``seconds``, each statement may take so long and no longer, and so may the whole where PostgreSQL sees to it.

    Raises:
        DatabaseUnavailableError: the server is away, or a statement or the snapshot outlasted its limit.
    """
    with _reading(database) as connection:
        _limit(database, connection, most=seconds)
        yield Snapshot(database, connection, _facts(connection))


@contextmanager
def _reading(database: Database) -> Iterator[Connection]:
    with database.raw_connection() as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            yield connection
        finally:
            # A terminated worker unwinds at once, but the server would go on with the query to its end.
            if connection.info.transaction_status == TransactionStatus.ACTIVE:
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=_CANCEL_SECONDS)


def _limit(database: Database, connection: Connection, *, most: int | None = None) -> None:
    """Set the transaction's time limits; ``SET`` takes no snapshot yet, which an import depends on."""
    limits = {
        "statement_timeout": most or database.statement_timeout_seconds,
        "idle_in_transaction_session_timeout": most or database.snapshot_hold_seconds,
    }
    if connection.info.server_version >= _TRANSACTION_TIMEOUT_SINCE:
        limits["transaction_timeout"] = most or database.snapshot_hold_seconds
    for name, seconds in limits.items():
        connection.execute(f"SET LOCAL {name} = '{int(seconds)}s'".encode())


def _facts(connection: Connection) -> SnapshotFacts:
    row = connection.execute("SELECT pg_export_snapshot(), clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return SnapshotFacts(id=row[0], taken_at=row[1], wal_lsn=_wal_position(connection))


def _wal_position(connection: Connection) -> str | None:
    """The log position; None on a replica, which has none of its own, and for roles that may not ask."""
    try:
        with connection.transaction():
            row = connection.execute(
                "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn()::text END"
            ).fetchone()
    except (errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState):
        return None
    return None if row is None else row[0]
