"""The fixtures themselves."""

import psycopg
import pytest
from sqlalchemy import text

from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database


@pytest.mark.parametrize("number", range(3))
def test_every_test_gets_a_database_of_its_own(empty_database: str, number: int) -> None:
    with psycopg.connect(empty_database.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE mine (number int)")
        connection.execute("INSERT INTO mine VALUES (%s)", [number])
        assert connection.execute("SELECT * FROM mine").fetchall() == [(number,)]


@pytest.mark.parametrize("number", range(2))
def test_a_migrated_database_has_all_tables_and_no_rows(database: Database, number: int) -> None:
    with database.transaction() as session:
        assert session.execute(text("SELECT count(*) FROM exports.export_jobs")).scalar_one() == 0
        session.execute(text("INSERT INTO evaluation.tags (id, name) VALUES ('t', 'left by another test?')"))


def test_a_seeded_database_has_the_demonstration_data(seeded_database: Database) -> None:
    with seeded_database.transaction() as session:
        assert session.execute(text("SELECT count(*) FROM evaluation.transcripts")).scalar_one() > 0


def test_settings_point_at_the_tests_own_database(settings: Settings, database: Database) -> None:
    assert settings.database_url == database.url
