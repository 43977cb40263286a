"""Sizes told beforehand come near what is read then, and come soon, whatever the database is busy with."""

import time
from dataclasses import replace

import pytest

from export_pipelines.catalog.export_type import ExportType
from export_pipelines.catalog.options import read_options
from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.database import Database
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.db.snapshot import open_snapshot
from export_pipelines.db.sources import sizes
from export_pipelines.db.sources.sizes import DEFINITION, RESPONSES, SCENARIOS, TRANSCRIPTS, Size, size_of

SUBJECTS = {"run_id": SHOWCASE_RUN_ID, "definition_id": SHOWCASE_DEFINITION_ID}
# A thousand rows whose neighbours are alike: five hundred short, then five hundred long ones.
MANY = """
INSERT INTO evaluation.transcripts
SELECT (jsonb_populate_record(t, jsonb_build_object('id', 'cmany' || lpad(n::text, 5, '0'), 'content',
    jsonb_build_object('text', (SELECT string_agg(md5((n * i)::text), '') FROM generate_series(1, n / 500 * 99 + 1) i))
))).*
FROM evaluation.transcripts t, generate_series(0, 999) n
WHERE t.id = (SELECT min(id) FROM evaluation.transcripts WHERE run_id = %s)
"""


def frozen(database: Database, type_: ExportType) -> tuple[int, int]:
    """Rows and bytes of what load really reads."""
    with open_snapshot(database) as snapshot:
        source = type_.read(snapshot, SUBJECTS[type_.subject_field], read_options(type_.options, {}))
        rows = list(snapshot.copy(source.sql, source.params))
    return len(rows), sum(map(len, rows))


@pytest.mark.parametrize("type_", [type_ for type_ in EXPORT_TYPES if type_.noun != "definition"], ids=lambda t: t.name)
def test_rows_are_counted_and_bytes_are_about_those_that_are_frozen(seeded_database: Database, type_) -> None:
    size = size_of(seeded_database, type_.sizing, SUBJECTS[type_.subject_field])
    rows, size_in_bytes = frozen(seeded_database, type_)
    assert (size.rows, size.counted) == (rows, True)
    assert size.bytes == pytest.approx(size_in_bytes, rel=0.1)


def test_of_many_rows_some_are_weighed_from_all_over_the_run(seeded_database: Database) -> None:
    with seeded_database.raw_connection() as connection:
        connection.execute(MANY.encode(), [SHOWCASE_RUN_ID])
        connection.commit()
    size = size_of(seeded_database, TRANSCRIPTS, SHOWCASE_RUN_ID)
    bundle = next(type_ for type_ in EXPORT_TYPES if type_.name == "RUN_BUNDLE")
    rows, size_in_bytes = frozen(seeded_database, bundle)
    assert size.rows == rows > 1000
    assert size.bytes == pytest.approx(size_in_bytes, rel=0.2)


@pytest.mark.parametrize("sizing", [TRANSCRIPTS, RESPONSES, SCENARIOS, DEFINITION])
def test_what_does_not_exist_has_no_size(database: Database, sizing) -> None:
    assert size_of(database, sizing, "cnosuch'thing%s") == Size(rows=0, bytes=0, counted=True)


def test_when_counting_takes_too_long_the_planner_is_asked(
    seeded_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "SECONDS_A_STATEMENT", 0.2)
    with seeded_database.raw_connection(autocommit=True) as connection:
        connection.execute("ANALYZE")
        there = connection.execute("SELECT pg_table_size('evaluation.transcripts')").fetchone()
    slow = replace(TRANSCRIPTS, where="pg_sleep(0.1) IS NOT NULL AND t.run_id = %(id)s")
    began = time.monotonic()
    size = size_of(seeded_database, slow, SHOWCASE_RUN_ID)
    assert time.monotonic() - began < 2
    assert size.counted is False
    assert 50 < size.rows < 200
    assert there is not None
    assert 0 < size.bytes <= there[0]


def test_a_table_that_nobody_may_read_just_now_is_given_up_soon(
    seeded_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "SECONDS_A_STATEMENT", 0.1)
    with seeded_database.raw_connection() as connection:
        connection.execute("LOCK TABLE evaluation.transcripts")
        with pytest.raises(DatabaseUnavailableError):
            size_of(seeded_database, TRANSCRIPTS, SHOWCASE_RUN_ID)
