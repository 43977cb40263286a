"""Migrations: forward, backward, and where a database stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from export_pipelines.core.errors import ValidationError
from export_pipelines.db.database import OURS, Database

VERSION_TABLE = "schema_version"
"""Alembic's usual name is left to Dagster and to applications whose database we share."""

_CONTENTS = """
SELECT concat(n.nspname, '.', c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(:names)
UNION ALL
SELECT concat(n.nspname, '.', p.proname, '()') FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ANY(:names)
UNION ALL
SELECT concat(n.nspname, '.', t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = ANY(:names) AND t.typtype = 'e'
UNION ALL
SELECT n.nspname FROM pg_namespace n WHERE n.nspname = ANY(:names)
ORDER BY 1
"""

_LOCK = 7_316_024_118_050_917
"""Key of the advisory lock that migrating processes take; any number that no other program uses."""


def upgrade(database: Database) -> None:
    """Bring the database to the newest version; several processes may do so at once, the later find it done."""
    with locked(database) as connection:
        command.upgrade(_config(database, connection), "head")


def downgrade(database: Database, *, steps: int) -> None:
    """Take back the newest ``steps`` migrations, with the rows they hold; all of them when there are fewer.

    Raises:
        ValidationError: ``steps`` is below 1.
    """
    if steps < 1:
        raise ValidationError(f"Cannot take back {steps} migrations; ask for at least 1.")
    with locked(database) as connection:
        config = _config(database, connection)
        done = _applied(database, connection, config)
        if done:
            command.downgrade(config, "base" if steps >= len(done) else done[steps])
        if steps >= len(done):
            _remove_traces(database, connection)


def current(database: Database) -> str | None:
    """The version the database is at, None when it was never migrated."""
    with database.translated(), database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options(database))
        return context.get_current_revision()


def leftovers(database: Database) -> list[str]:
    """What there is in the schemas that are ours, the schemas included: relations, functions, types."""
    with database.translated(), database.engine.connect() as connection:
        names = [database.schemas[context] for context in database.schemas if database.owns(context)]
        return [str(name) for name in connection.scalars(text(_CONTENTS), {"names": names})]


def newest() -> str | None:
    """The version that ``upgrade`` leads to."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def options(database: Database) -> dict[str, Any]:
    """How alembic is set up, wherever it is called."""
    return {"version_table": VERSION_TABLE, "version_table_schema": database.schemas[OURS]}


@contextmanager
def locked(database: Database) -> Iterator[Connection]:
    """A connection in a transaction that holds the migrations' lock, with the schemas we own there.

    Everything a call does is one transaction: a process killed halfway leaves nothing.
    """
    with database.translated(), database.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        for context in filter(database.owns, database.schemas):
            connection.exec_driver_sql(database.sql(f"CREATE SCHEMA IF NOT EXISTS {{{context}}}"))
        yield connection


def _applied(database: Database, connection: Connection, config: Config) -> list[str]:
    """The versions in force, newest first."""
    revision = MigrationContext.configure(connection, opts=options(database)).get_current_revision()
    if revision is None:
        return []
    scripts = ScriptDirectory.from_config(config).iterate_revisions(revision, "base")
    return [script.revision for script in scripts]


def _remove_traces(database: Database, connection: Connection) -> None:
    """Drop the version table, and our schemas where nothing is in them; ``public`` is nobody's to drop."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {database.qualified(OURS, VERSION_TABLE)}")
    for context in filter(database.owns, database.schemas):
        schema = database.schemas[context]
        inside = connection.scalars(text(_CONTENTS), {"names": [schema]}).all()
        if inside == [schema] and schema != "public":
            connection.exec_driver_sql(database.sql(f"DROP SCHEMA {{{context}}}"))


def _config(database: Database | None = None, connection: Connection | None = None) -> Config:
    """Alembic's configuration, made here so that it works from an installed wheel, where no pyproject.toml is."""
    config = Config()
    config.set_main_option("script_location", "export_pipelines:db/migrations")
    if database is not None and connection is not None:
        config.attributes.update(database=database, connection=connection)
    return config
