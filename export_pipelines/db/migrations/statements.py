"""How a migration speaks: plain SQL in which ``{evaluation}`` and ``{exports}`` stand for the deployment's schemas."""

from alembic import context, op

from export_pipelines.db.database import Database


def run(sql: str) -> None:
    """Run the statements of ``sql``, as they are but for the schemas."""
    op.get_bind().exec_driver_sql(_database().sql(sql), execution_options={"no_parameters": True})


def owned(name: str) -> bool:
    """Whether the tables of this context are ours to make; not so where it points at an application's own schema."""
    return _database().owns(name)


def _database() -> Database:
    database = context.config.attributes["database"]
    assert isinstance(database, Database)  # noqa: S101 - set by db.migrate or env.py, and by nobody else
    return database
