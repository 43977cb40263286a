"""Drift: whether the tables in the database are those that the models describe.

PostgreSQL itself is the judge: the models are made beside the real tables, in schemas of their own inside a transaction
that is rolled back, and the two catalogs are compared. So CHECK constraints, enums, collations and the expressions of
indexes are compared exactly, which comparing by reflection cannot do.
"""

import secrets
from collections.abc import Mapping

from sqlalchemy import Connection, text

from export_pipelines.db.database import Database
from export_pipelines.db.migrate import VERSION_TABLE
from export_pipelines.db.tables import load_all

# NOT NULL is compared with its column; from PostgreSQL 18 on it is also a constraint with a made-up name. Constraint
# triggers are triggers, which models do not describe.
CATALOG = """
SELECT 'table' AS kind, c.relname AS name, '' AS definition
FROM pg_class c WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT 'column', concat(c.relname, '.', a.attname), concat_ws(
    ' ',
    format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN concat('COLLATE ', a.attcollation::regcollation) END,
    CASE WHEN a.attnotnull THEN 'NOT NULL' END,
    CASE WHEN d.adbin IS NOT NULL THEN concat('DEFAULT ', pg_get_expr(d.adbin, d.adrelid)) END,
    CASE WHEN a.attidentity <> '' THEN concat('IDENTITY ', a.attidentity) END
)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'constraint', k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k WHERE k.connamespace = CAST(:schema AS regnamespace) AND k.contype NOT IN ('n', 't')
UNION ALL
SELECT 'index', c.relname, pg_get_indexdef(c.oid)
FROM pg_class c WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('i', 'I')
UNION ALL
SELECT 'enum', t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
WHERE t.typnamespace = CAST(:schema AS regnamespace)
GROUP BY t.typname
"""

Objects = Mapping[str, str]
"""Definition by kind and name; schemas are called by their contexts."""


def drift(database: Database) -> list[str]:
    """A line for every difference between models and database, in the schemas that are ours; empty when they agree."""
    mark = secrets.token_hex(4)
    beside = {context: f"models_{context}_{mark}" for context in database.schemas}
    with database.translated(), database.engine.connect() as connection:
        _make_models(connection, beside)
        # Nothing on the path: every name in a definition then comes with its schema.
        connection.execute(text("SET LOCAL search_path = ''"))
        lines = []
        for context in filter(database.owns, database.schemas):
            found = _objects(connection, context, database.schemas)
            lines += _compare(context, found=found, expected=_objects(connection, context, beside))
        connection.rollback()
    return lines


def _make_models(connection: Connection, schemas: Mapping[str, str]) -> None:
    for schema in schemas.values():
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    load_all().metadata.create_all(
        connection.execution_options(schema_translate_map=dict(schemas)),
        checkfirst=False,
    )


def _objects(connection: Connection, context: str, schemas: Mapping[str, str]) -> Objects:
    quote = connection.dialect.identifier_preparer.quote
    if connection.scalar(text("SELECT to_regnamespace(:schema)"), {"schema": quote(schemas[context])}) is None:
        return {}
    rows = connection.execute(text(CATALOG), {"schema": quote(schemas[context])})
    objects = {}
    for kind, name, definition in rows:
        for called, schema in schemas.items():
            definition = definition.replace(f"{quote(schema)}.", f"{called}.")  # noqa: PLW2901 - one after the other
        if name != VERSION_TABLE and not name.startswith((f"{VERSION_TABLE}.", f"{VERSION_TABLE}_pk")):
            objects[f"{kind} {name}"] = definition
    return objects


def _compare(context: str, *, found: Objects, expected: Objects) -> list[str]:
    lines = [f"{context}: {name} is missing" for name in expected.keys() - found.keys()]
    lines += [f"{context}: {name} is in the database, but not in the models" for name in found.keys() - expected.keys()]
    lines += [
        f"{context}: {name} is {found[name]}, but should be {expected[name]}"
        for name in expected.keys() & found.keys()
        if found[name] != expected[name]
    ]
    return sorted(lines)
