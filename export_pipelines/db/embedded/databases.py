"""The databases that every embedded server has: ours and Dagster's."""

from typing import LiteralString

import psycopg
from psycopg import errors

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded.server import EmbeddedServer

# Apart, because Dagster owns a table called alembic_version, and so do we.
_CREATE: dict[str, LiteralString] = {
    "export_pipelines": "CREATE DATABASE export_pipelines",
    "dagster": "CREATE DATABASE dagster",
}


def ensure(server: EmbeddedServer) -> None:
    """Create the databases that are missing; several processes may do so at once.

    Raises:
        DatabaseUnavailableError: the server does not answer.
    """
    try:
        with psycopg.connect(server.libpq_url("postgres"), autocommit=True, connect_timeout=10) as connection:
            existing = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            for name in _CREATE.keys() - existing:
                _create(connection, _CREATE[name])
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(
            f"The embedded PostgreSQL at {server.socket_dir} does not answer: {error}".rstrip()
        ) from error


def _create(connection: psycopg.Connection[tuple[str]], statement: LiteralString) -> None:
    try:
        connection.execute(statement)
    except (errors.DuplicateDatabase, errors.UniqueViolation):
        # Another process created it between our look and our statement.
        return
