"""Alembic's entry: runs the migrations on the connection it is handed, or on the deployment's database."""

import os

from alembic import context
from sqlalchemy import Connection

from export_pipelines.core.settings import read_settings
from export_pipelines.db import migrate
from export_pipelines.db.database import open_database


def _run(connection: Connection) -> None:
    context.configure(connection=connection, **migrate.options(context.config.attributes["database"]))
    with context.begin_transaction():
        context.run_migrations()


if "connection" in context.config.attributes:
    _run(context.config.attributes["connection"])
else:
    # Somebody called alembic itself, say to write a revision.
    context.config.attributes["database"] = open_database(read_settings(os.environ))
    with migrate.locked(context.config.attributes["database"]) as own:
        _run(own)
