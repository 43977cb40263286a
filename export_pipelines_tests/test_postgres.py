"""The fixtures themselves."""

import psycopg
import pytest

from export_pipelines.core.settings import Settings


@pytest.mark.parametrize("number", range(6))
def test_every_test_gets_a_database_of_its_own(empty_database: str, number: int) -> None:
    with psycopg.connect(empty_database.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE mine (number int)")
        connection.execute("INSERT INTO mine VALUES (%s)", [number])
        assert connection.execute("SELECT * FROM mine").fetchall() == [(number,)]


def test_settings_point_at_the_tests_own_database(settings: Settings, empty_database: str) -> None:
    assert settings.database_url == empty_database
