"""The database as the rest of the project holds it: connections, transactions, and the schemas of the contexts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import CONTEXTS, Settings
from export_pipelines.db.errors import translated

OURS = "exports"
"""The context whose tables are ours in every deployment, whatever its schema is called."""


class Database:
    """One PostgreSQL database; connects when first asked to, and may be shared by threads.

    Attributes:
        schemas: PostgreSQL schema by context.
        statement_timeout_seconds: longest a single reading statement of a snapshot may take.
        snapshot_hold_seconds: longest a snapshot may be held.
        connect_seconds: longest to wait for a server that does not answer.
        answer_seconds: longest that any statement of a pooled connection may take; None leaves it to the server.
    """

    def __init__(
        self,
        url: str,
        *,
        schemas: Mapping[str, str] | None = None,
        statement_timeout_seconds: int = 3600,
        snapshot_hold_seconds: int = 7200,
        connect_seconds: int = 10,
        answer_seconds: int | None = None,
        connections: int = 12,
    ) -> None:
        self._url = _read_url(url)
        self.schemas = {**{name: name for name in CONTEXTS}, **(schemas or {})}
        self.statement_timeout_seconds = statement_timeout_seconds
        self.snapshot_hold_seconds = snapshot_hold_seconds
        self.connect_seconds = connect_seconds
        self.answer_seconds = answer_seconds
        self._connections = connections

    def __repr__(self) -> str:
        return f"Database({self._url.render_as_string(hide_password=True)})"

    @property
    def url(self) -> str:
        """The whole URL, password included: for other programs, never for messages."""
        return _rendered(self._url)

    @property
    def libpq_url(self) -> str:
        """The whole URL as psql and other programs take it, password included."""
        return _rendered(self._url.set(drivername="postgresql"))

    @property
    def place(self) -> str:
        """Host, port and name, as messages show them."""
        host = self._url.host or self._url.query.get("host", "localhost")
        return f"{host}:{self._url.port or self._url.query.get('port', 5432)}/{self._url.database}"

    def qualified(self, context: str, name: str) -> str:
        """A table's (or type's) full name for SQL, quoted."""
        return f"{_quoted(self.schemas[context])}.{_quoted(name)}"

    def sql(self, statement: str) -> str:
        """The statement with ``{evaluation}`` and ``{exports}`` replaced by the deployment's schemas."""
        for context, schema in self.schemas.items():
            statement = statement.replace("{" + context + "}", _quoted(schema))
        return statement

    def owns(self, context: str) -> bool:
        """Whether we make this context's tables; a context pointed at another schema is the application's own."""
        return context == OURS or self.schemas[context] == context

    @cached_property
    def engine(self) -> Engine:
        """SQLAlchemy's engine; models' schemas are those of the deployment."""
        engine = create_engine(
            self._url,
            pool_pre_ping=True,
            # Nothing of ours is an hstore, for which each process would look in the catalog first.
            use_native_hstore=False,
            # A deployment has many small processes: each keeps little, and may burst.
            pool_size=_KEPT_OPEN,
            max_overflow=self._connections - _KEPT_OPEN,
            pool_timeout=self.answer_seconds or 30,
            connect_args={**_CONNECT, "connect_timeout": self.connect_seconds},
            execution_options={"schema_translate_map": dict(self.schemas)},
        )
        event.listen(engine, "connect", lambda connection, _: _prepare(connection, answer_seconds=self.answer_seconds))
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed when the block ends well, rolled back when it raises.

        Raises:
            DatabaseUnavailableError: the server is away or gave up.
            ConflictError: a unique row exists already, or a row to delete is still referred to.
            ValidationError: a value breaks a rule, or the database was never migrated.
        """
        with self.translated(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def raw_connection(self, *, autocommit: bool = False) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection of the driver's own, outside the pool; closed, not committed, when the block ends."""
        with self.translated():
            arguments, keywords = self.engine.dialect.create_connect_args(self._url)
            connection = psycopg.connect(
                *arguments, **{**keywords, **_CONNECT, "connect_timeout": self.connect_seconds}
            )
            try:
                _prepare(connection)
                connection.autocommit = autocommit
                yield connection
            finally:
                connection.close()

    async def async_connection(self, *, statement_timeout_ms: int) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        """A connection for an event loop, each statement a transaction of its own; whoever asked closes it.

        Its errors are the driver's: use it within :meth:`translated`.
        """
        arguments, keywords = self.engine.dialect.create_connect_args(self._url)
        keywords = {**keywords, **_CONNECT, "connect_timeout": self.connect_seconds}
        connection = await psycopg.AsyncConnection.connect(*arguments, **keywords, autocommit=True)
        try:
            await connection.execute(_SESSION + b"; SET statement_timeout = %d" % statement_timeout_ms)
        except BaseException:
            await connection.close()
            raise
        return connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        """A block in which the database's errors become ours."""
        with translated(self.place, secret=self._url.password):
            yield

    def close(self) -> None:
        """Let go of all pooled connections; the database stays usable."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def open_database(settings: Settings, *, answer_seconds: int | None = None, connections: int = 12) -> Database:
    """The deployment's database; starts the embedded server when no URL is set.

    Args:
        settings: the deployment's.
        answer_seconds: for those whom somebody waits for: longest that a statement may take.
        connections: the most that are open at once.
    """
    return Database(
        settings.database_url or _embedded_url(settings, "export_pipelines"),
        schemas=settings.schemas,
        statement_timeout_seconds=settings.statement_timeout_seconds,
        snapshot_hold_seconds=settings.snapshot_hold_seconds,
        answer_seconds=answer_seconds,
        connections=connections,
    )


def dagster_database_url(settings: Settings) -> str:
    """Where Dagster keeps its own tables; a database of its own, for it owns a table called ``alembic_version``.

    The driver is psycopg2, the only one dagster-postgres works with.
    """
    if settings.dagster_database_url:
        url = _read_url(settings.dagster_database_url)
    elif settings.database_url:
        url = _read_url(settings.database_url).set(database="dagster")
    else:
        url = _read_url(_embedded_url(settings, "dagster"))
    return _rendered(url.set(drivername="postgresql+psycopg2"))


_KEPT_OPEN = 2
# Half a minute after the other side's machine has vanished without a word, both sides know: a reader does not wait for
# rows for ever, and the server does not keep the locks of a worker that is no more.
_CONNECT = {
    "fallback_application_name": "export-pipelines",
    "client_encoding": "UTF8",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    # Keepalives say nothing while a statement of ours is under way to a machine that is gone. (The server has no such
    # limit: what it sends may wait for a slow reader.)
    "tcp_user_timeout": 30_000,
}
# Servers, databases, roles and the environment may all have settings of their own; what we read is the same with each.
_SESSION = b"""
SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;
SET standard_conforming_strings = on; SET default_transaction_isolation = 'read committed';
SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3
"""


def _embedded_url(settings: Settings, name: str) -> str:
    # Only deployments without a URL need the server's supervisor.
    from export_pipelines.db.embedded import ensure_running  # noqa: PLC0415

    return str(ensure_running(settings.home, os_user=settings.db_os_user).url(name))


def _read_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ValidationError(
            "The database URL cannot be read; it should look like postgresql://user:password@host:5432/name."
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ValidationError(f"The database URL is for {url.get_backend_name()}, but only PostgreSQL will do.")
    return url.set(drivername="postgresql+psycopg")


def _rendered(url: URL) -> str:
    """The whole URL; SQLAlchemy leaves blanks in passwords as they are, which psql refuses."""
    return url.render_as_string(hide_password=False).replace(" ", "%20")


def _prepare(connection: psycopg.Connection[tuple[Any, ...]], *, answer_seconds: int | None = None) -> None:
    """Set up a new session; times come back in UTC whatever the server's or the role's setting."""
    connection.execute(_SESSION)
    if answer_seconds is not None:
        connection.execute("SELECT set_config('statement_timeout', %s, false)", (f"{answer_seconds}s",))
    connection.commit()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
