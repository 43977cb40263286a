"""How large an export will be, told within seconds: rows counted and some of them weighed, or else by statistics."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors

from export_pipelines.db.database import Database

SECONDS_A_STATEMENT = 1.0
"""An estimate that takes longer than this is worth less than none."""

_SAMPLED = 200
"""Rows that are weighed: for the mean of texts that differ tenfold, within some percent."""


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """What is counted and weighed.

    Attributes:
        table: named ``t`` in what follows.
        where: which rows; ``%(id)s`` is the export's subject.
        weight: SQL: the bytes that one row is sent as.
        context: whose table it is.
    """

    table: str
    where: str
    weight: str
    context: str = "evaluation"


@dataclass(frozen=True, kw_only=True)
class Size:
    """What an export will read.

    Attributes:
        rows: how many rows.
        bytes: of all rows as they are sent, from the weight of some.
        counted: whether the rows were counted; else both figures are the planner's guess.
    """

    rows: int
    bytes: int
    counted: bool


_RUN = "t.run_id = %(id)s AND t.deleted_at IS NULL"
# Beside the long texts: thirteen fields with their lengths, four numbers, two times.
_ROW = """110 + octet_length(concat(
    t.id, t.scenario_id, t.target_model, t.model_version, t.decision_code, t.decision_text))"""

TRANSCRIPTS = Sizing(
    table="transcripts", where=_RUN, weight=f"coalesce(octet_length(t.content::jsonb::text), 0) + {_ROW}"
)
DAY = Sizing(
    table="transcripts",
    where="""t.created_at >= %(id)s::date::timestamptz AND t.created_at < (%(id)s::date + 1)::timestamptz
        AND t.deleted_at IS NULL""",
    weight=TRANSCRIPTS.weight,
)
# As in the projection: what has no turns is sent whole.
RESPONSES = Sizing(
    table="transcripts",
    where=_RUN,
    weight=f"""coalesce(octet_length(coalesce(
        nullif(jsonb_path_query_array(t.content::jsonb, '$.turns[*].targetResponse')::text, '[]'),
        t.content::jsonb::text
    )), 0) + {_ROW}""",
)
SCENARIOS = Sizing(
    table="scenarios",
    where="t.definition_id = %(id)s AND t.deleted_at IS NULL",
    weight="octet_length(t.content::jsonb::text) + octet_length(concat(t.id, t.name))",
)
DEFINITION = Sizing(
    table="definitions", where="t.id = %(id)s AND t.deleted_at IS NULL", weight="octet_length(t.content::jsonb::text)"
)
# The subject is the first and the last position.
AUDIT_ROWS = Sizing(
    context="exports",
    table="export_audit_logs",
    where="""t.position BETWEEN split_part(%(id)s, '-', 1)::bigint AND split_part(%(id)s, '-', 2)::bigint""",
    weight="200 + octet_length(t.additional_data::text) + octet_length(concat(t.job_id, t.user_id, t.user_agent))",
)

_COUNT = "SELECT count(*) FROM {table} t WHERE {where}"
# By a hash of the id, since neighbours are alike; ids stand in an index, so only the chosen rows are read whole.
_WEIGH = """
SELECT avg({weight}) FROM {table} t WHERE t.id IN (
    SELECT t.id FROM {table} t WHERE {where} AND (hashtext(t.id::text)::bigint & 2147483647) %% %(step)s = 0
)
"""
_PLAN = "EXPLAIN (FORMAT JSON) SELECT 1 FROM {table} t WHERE {where}"
_STORED = """
SELECT pg_table_size(oid) / greatest(reltuples, %(rows)s, 1) FROM pg_class WHERE oid = %(name)s::regclass
"""


def size_of(database: Database, sizing: Sizing, subject_id: str) -> Size:
    """Count and weigh; nothing for a subject that does not exist.

    Raises:
        DatabaseUnavailableError: the server is away, or even its statistics take too long.
    """
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(f"SET statement_timeout = '{int(SECONDS_A_STATEMENT * 1000)}ms'".encode())
        measure = _Measure(database, connection, sizing, subject_id)
        try:
            return measure.looked_at()
        except errors.QueryCanceled:
            return measure.guessed()


class _Measure:
    """Two ways to know a size, on one connection."""

    def __init__(
        self, database: Database, connection: psycopg.Connection[tuple[Any, ...]], sizing: Sizing, subject_id: str
    ) -> None:
        self._table = database.qualified(sizing.context, sizing.table)
        # EXPLAIN takes no parameters from the server's side.
        self._cursor = psycopg.ClientCursor(connection)
        self._sizing = sizing
        self._id = subject_id

    def looked_at(self) -> Size:
        rows = int(self._value(_COUNT))
        mean = self._value(_WEIGH, step=max(1, rows // _SAMPLED))
        return Size(rows=rows, bytes=round(rows * float(mean or 0)), counted=True)

    def guessed(self) -> Size:
        """By what the planner expects and what the table takes on disk."""
        rows = int(self._value(_PLAN)[0]["Plan"]["Plan Rows"])
        stored = self._value(_STORED, rows=rows, name=self._table)
        return Size(rows=rows, bytes=round(rows * float(stored)), counted=False)

    def _value(self, template: str, **params: object) -> Any:  # noqa: ANN401 - whatever the column holds
        sql = template.format(table=self._table, where=self._sizing.where, weight=self._sizing.weight)
        row = self._cursor.execute(sql.encode(), {"id": self._id, **params}).fetchone()
        return None if row is None else row[0]
