"""Every projection sends exactly the columns and types that it says."""

from typing import Any

import pytest

from export_pipelines.core.frozen import Column
from export_pipelines.db.database import Database
from export_pipelines.db.sources import bundle, days, definition, scenarios, transcripts
from export_pipelines.db.sources.source import typed
from export_pipelines.db.sources.transcripts import BY_KEY
from export_pipelines_tests.db.rows import NOW

NAMED = typed(id="text", name="text", content="jsonb")
PROJECTIONS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "definition": (definition.ROWS, NAMED),
    "scenarios": (scenarios.ROWS, NAMED),
    "days": (days.ROWS, days.COLUMNS),
    **{
        f"{name}{' in a range' * begins}": (BY_KEY.statement(sql, begins=begins, ends=begins), columns)
        for begins in (False, True)
        for name, sql, columns in (
            ("transcripts", transcripts.TRANSCRIPTS, transcripts.TRANSCRIPT_COLUMNS),
            ("responses", transcripts.RESPONSES, transcripts.RESPONSE_COLUMNS),
            ("bundle", bundle.ROWS, bundle.COLUMNS),
        )
    },
}
KEY = {f"{side}_{name}": "c1" for side in ("from", "to") for name in BY_KEY.keys}


def described(database: Database, sql: str) -> tuple[Column, ...]:
    of_subject: dict[str, Any] = {"definition_id": "c1", "run_id": "c1", "begin": NOW, "end": NOW}
    params = {**of_subject, "from_before": 1, **KEY}
    with database.raw_connection() as connection:
        columns = connection.execute(database.sql(sql).encode(), params).description or ()
        return tuple(
            Column(name=column.name, type=connection.adapters.types[column.type_code].name) for column in columns
        )


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_columns_are_what_postgresql_sends(database: Database, projection: str) -> None:
    sql, columns = PROJECTIONS[projection]
    assert described(database, sql) == columns


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_columns_are_the_same_when_an_applications_tables_have_other_types(
    empty_database: str, projection: str
) -> None:
    database = Database(empty_database, schemas={"evaluation": "app"})
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("""
            CREATE SCHEMA app;
            CREATE TABLE app.definitions (id varchar(30), parent_id varchar(30), name varchar, content json);
            CREATE TABLE app.runs (id varchar(30), definition_id varchar(30), deleted_at timestamp(3));
            CREATE TABLE app.scenarios (id varchar, definition_id varchar, name varchar, content json,
                deleted_at timestamp(3));
            CREATE TABLE app.transcripts (id varchar(30), run_id varchar(30), scenario_id char(25),
                target_model varchar, model_version varchar, content json, turn_count smallint, token_count bigint,
                duration_ms bigint, estimated_cost numeric, decision_code varchar, decision_text varchar,
                created_at timestamp(3), content_expires_at timestamp(3), deleted_at timestamp(3))""")
    sql, columns = PROJECTIONS[projection]
    assert described(database, sql) == columns
