"""The PostgreSQL server of a test session, and databases on it.

The process that owns the session (xdist's controller, or pytest itself) only names a folder, in an environment variable
that workers inherit, and removes the server at the end. Whoever needs the server first starts it there, so a session
without database tests starts none.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from export_pipelines.db import embedded
from export_pipelines.db.embedded import EmbeddedServer

HOME_VARIABLE = "EXPORT_PIPELINES_TEST_SERVER_HOME"
_PREFIX = "export-pipelines-tests-"


def open_session() -> Path:
    """Name the session's folder, and clear away what killed sessions left behind."""
    for left_over in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = left_over.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            with suppress(Exception):
                close_session(left_over)
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    # Under root the server runs as another user, who has to get in.
    home.chmod(0o755)
    os.environ[HOME_VARIABLE] = str(home)
    return home


def close_session(home: Path) -> None:
    """Remove the server, if anybody started it, and the folder."""
    embedded.remove(home)
    shutil.rmtree(home, ignore_errors=True)


def start() -> EmbeddedServer:
    """The session's server, started by the first who asks."""
    server = embedded.ensure_running(Path(os.environ[HOME_VARIABLE]))
    with _connect(server) as connection:
        if connection.execute("SHOW fsync").fetchone() == ("on",):
            # Nothing here has to survive a power cut.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
            connection.execute("SELECT pg_reload_conf()")
    return server


@contextmanager
def new_database(server: EmbeddedServer, *, template: str = "template1") -> Iterator[str]:
    """The name of a new database, copied from the template and dropped afterwards whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    with _connect(server) as connection:
        connection.execute(
            # A copy through the log costs a few milliseconds where a file copy waits for a checkpoint.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    try:
        yield name
    finally:
        with _connect(server) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _connect(server: EmbeddedServer) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.libpq_url("postgres"), autocommit=True)
