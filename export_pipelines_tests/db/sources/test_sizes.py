"""Sizes are told soon, whatever the database is busy with; that they come near the truth is steps/test_estimate.py."""

import time
from dataclasses import replace

import pytest

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.database import Database
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.db.sources import sizes
from export_pipelines.db.sources.sizes import DEFINITION, RESPONSES, SCENARIOS, TRANSCRIPTS, Size, size_of


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
