"""Alembic's entry: runs the migrations on the connection it is handed, or on the deployment's database."""

import os

from alembic import context
from sqlalchemy import Connection

from export_pipelines.core.settings import read_settings
from export_pipelines.db import migrate
from export_pipelines.db.database import open_database
from export_pipelines.db.tables import load_all

_COLLATED_INDEX = "ix_transcripts_export_order"
"""Alembic reads an index back without its collations, and would make it anew each time."""


def _run(connection: Connection) -> None:
    database = context.config.attributes["database"]
    ours = {database.schemas[name] for name in database.schemas if database.owns(name)}
    context.configure(
        connection=connection,
        # For `alembic check` and `revision --autogenerate`; `db check` compares more, by PostgreSQL's own catalog.
        target_metadata=load_all().metadata,
        include_schemas=True,
        include_object=lambda _, name, kind, *__: not (kind == "index" and name == _COLLATED_INDEX),
        include_name=lambda name, kind, _: kind != "schema" or name in ours,
        **migrate.options(database),
    )
    with context.begin_transaction():
        context.run_migrations()


if "connection" in context.config.attributes:
    _run(context.config.attributes["connection"])
else:
    # Somebody called alembic itself, say to write a revision.
    context.config.attributes["database"] = open_database(read_settings(os.environ))
    with migrate.locked(context.config.attributes["database"]) as own:
        _run(own)
