"""A scratch database beside the real one, to rehearse migrations where nothing can break."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql
from sqlalchemy.engine import make_url

from export_pipelines.db import migrate
from export_pipelines.db.database import Database
from export_pipelines.db.drift import drift


@contextmanager
def scratch(database: Database) -> Iterator[Database]:
    """A new, empty database on the same server, dropped when the block ends.

    Raises:
        DatabaseUnavailableError: the server is away, or the role may not create databases.
    """
    name = f"export_pipelines_scratch_{secrets.token_hex(4)}"
    _administer(database, sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    made = Database(make_url(database.url).set(database=name).render_as_string(hide_password=False))
    try:
        yield made
    finally:
        made.close()
        _administer(database, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def rehearse(empty: Database) -> list[str]:
    """Migrate an empty database up, all the way down, and up again; what then differs from the models."""
    migrate.upgrade(empty)
    migrate.downgrade(empty, steps=10_000)
    problems = [f"taking everything back left {name}" for name in migrate.leftovers(empty)]
    migrate.upgrade(empty)
    return problems + drift(empty)


def _administer(database: Database, statement: sql.Composed) -> None:
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(statement)
