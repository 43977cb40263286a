"""The PostgreSQL server of a test session, and databases on it.

The process that owns the session (xdist's controller, or pytest itself) only names a folder, in an environment variable
that workers inherit, and removes the server at the end. Whoever needs the server first starts it there, so a session
without database tests starts none.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from export_pipelines.core.errors import ExportPipelinesError
from export_pipelines.db import embedded
from export_pipelines.db.embedded import EmbeddedServer, locks

if TYPE_CHECKING:
    from export_pipelines.db.database import Database

HOME_VARIABLE = "EXPORT_PIPELINES_TEST_SERVER_HOME"
PREFIX = "export-pipelines-tests-"
"""What folders of servers are called, then the process that owns them: a later session clears away what is left."""

_MEMORY = Path("/dev/shm")
_NEEDED_BYTES = 4 * 1024**3
# Nothing here has to survive a power cut, nor may its log fill the memory.
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "256MB"}


def open_session() -> Path:
    """Name the session's folder, and clear away what killed sessions left behind."""
    for left_over in quick_folder().glob(f"{PREFIX}*"):
        owner = left_over.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            with suppress(ExportPipelinesError):
                close_session(left_over)
    home = reachable_folder(f"{PREFIX}{os.getpid()}-")
    os.environ[HOME_VARIABLE] = str(home)
    return home


def quick_folder() -> Path:
    """Where servers of tests live: in memory if there is enough, since a database is 300 files to make and delete."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _NEEDED_BYTES:
        return _MEMORY
    return Path(tempfile.gettempdir())


def reachable_folder(prefix: str) -> Path:
    """A new folder that the user can enter whom root hands its servers to."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=quick_folder()))
    folder.chmod(0o755)
    return folder


def close_session(home: Path) -> None:
    """Remove the server, if anybody started it, and the folder."""
    embedded.remove(home)
    shutil.rmtree(home, ignore_errors=True)


def start() -> EmbeddedServer:
    """The session's server, started by the first who asks."""
    server = embedded.ensure_running(Path(os.environ[HOME_VARIABLE]))
    with _connect(server) as connection:
        if connection.execute("SHOW fsync").fetchone() == ("on",):
            for name, value in _SETTINGS.items():
                _execute(connection, f"ALTER SYSTEM SET {{}} = '{value}'", name)
            connection.execute("SELECT pg_reload_conf()")
    return server


def template(
    server: EmbeddedServer, name: str, *, fill: "Callable[[Database], object]", source: str = "template1"
) -> str:
    """The name of a database to copy others from, made and filled by the first of all workers who asks for it."""
    with locks.alone(Path(os.environ[HOME_VARIABLE]) / f"{name}.lock"), _connect(server) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            with new_database(server, template=source) as unfinished:
                with _held(server.url(unfinished)) as database:
                    fill(database)
                _execute(connection, "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, unfinished)
    return name


@contextmanager
def new_database(server: EmbeddedServer, *, template: str = "template1") -> Iterator[str]:
    """The name of a new database, copied from the template and dropped afterwards whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    with _connect(server) as connection:
        # Copying files needs a checkpoint, but with fsync off that is nothing.
        _execute(connection, "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
    try:
        yield name
    finally:
        with _connect(server) as connection:
            _execute(connection, "DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def opened(server: EmbeddedServer, *, template: str) -> "Iterator[Database]":
    """A new database copied from the template, as the project holds it."""
    with new_database(server, template=template) as name, _held(server.url(name)) as database:
        yield database


@contextmanager
def opened_named(server: EmbeddedServer) -> "Iterator[tuple[str, Database]]":
    """A new, empty database, and its name, for filling it and copying it."""
    with new_database(server) as name, _held(server.url(name)) as database:
        yield name, database


@contextmanager
def _held(url: str) -> "Iterator[Database]":
    # A session without database tests need not wait for SQLAlchemy to load.
    from export_pipelines.db.database import Database

    with closing(Database(url)) as database:
        yield database


def _connect(server: EmbeddedServer) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.libpq_url("postgres"), autocommit=True)


def _execute(connection: psycopg.Connection[tuple[object, ...]], statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
