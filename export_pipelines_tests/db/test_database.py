"""Opening the database: URLs, schemas, transactions, and where Dagster's own database is."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database, dagster_database_url, open_database
from export_pipelines.db.tables import User

SECRET = "s3cr/t p@ss"
URL = "postgresql://ann:s3cr%2Ft%20p%40ss@db.example:5433/app"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_any_postgresql_url_is_read_with_our_driver(scheme: str) -> None:
    database = Database(URL.replace("postgresql", scheme))
    assert database.url == URL.replace("postgresql", "postgresql+psycopg")
    assert database.libpq_url == URL
    assert database.place == "db.example:5433/app"


def test_what_is_shown_of_a_database_holds_no_password() -> None:
    assert SECRET not in repr(Database(URL))
    assert "s3cr" not in repr(Database(URL))


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/app", "postgresql://host:port/app", "sqlite:///file"])
def test_a_url_that_cannot_be_used_is_refused_before_anything_connects(url: str) -> None:
    with pytest.raises(ValidationError, match="database URL"):
        Database(url)


def test_statements_name_the_schemas_of_the_deployment() -> None:
    database = Database(URL, schemas={"evaluation": "public", "exports": 'odd"Name'})
    assert database.qualified("evaluation", "runs") == '"public"."runs"'
    assert (
        database.sql("SELECT '{}' FROM {exports}.x, {evaluation}.y") == """SELECT '{}' FROM "odd""Name".x, "public".y"""
    )


def test_only_a_context_in_a_schema_of_its_own_name_is_ours_to_make_but_exports_always_is() -> None:
    database = Database(URL, schemas={"evaluation": "public", "exports": "reporting"})
    assert not database.owns("evaluation")
    assert database.owns("exports")
    assert Database(URL).owns("evaluation")


def test_a_transaction_is_committed_whole_or_not_at_all(database: Database) -> None:
    def half() -> None:
        with database.transaction() as session:
            session.add(User(email="ann@example.org", password_hash="hash"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM evaluation.users")) == 0


def test_times_come_back_in_utc_whatever_the_servers_zone(database: Database) -> None:
    with database.raw_connection(autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET timezone TO 'Asia/Kathmandu'".encode())
    with database.raw_connection() as connection:
        row = connection.execute("SELECT now(), now()::text").fetchone()
    database.close()
    with database.transaction() as session:
        zone = session.scalar(text("SHOW timezone"))
    assert row is not None
    assert row[0].utcoffset() == timedelta(0)
    assert row[1].endswith("+00")
    assert zone == "UTC"


def test_a_closed_database_can_be_used_again(database: Database) -> None:
    for _ in range(2):
        with database.transaction() as session:
            assert session.scalar(text("SELECT 1")) == 1
        database.close()


def test_settings_reach_the_database(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        database_url=URL,
        schemas={"evaluation": "app"},
        statement_timeout_seconds=5,
        snapshot_hold_seconds=6,
    )
    database = open_database(settings)
    assert database.schemas == {"evaluation": "app", "exports": "exports"}
    assert (database.statement_timeout_seconds, database.snapshot_hold_seconds) == (5, 6)


def test_dagsters_database_stands_beside_ours_unless_it_is_set(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=URL)
    beside = URL.replace("postgresql", "postgresql+psycopg2").replace("/app", "/dagster")
    assert dagster_database_url(settings) == beside
    own = replace(settings, dagster_database_url="postgresql://other/own?options=-csearch_path%3Dx")
    assert dagster_database_url(own) == "postgresql+psycopg2://other/own?options=-csearch_path%3Dx"


def test_both_sides_of_a_connection_give_up_half_a_minute_after_the_other_machine_vanished(database: Database) -> None:
    with database.raw_connection() as connection:
        ours = connection.info.get_parameters()
    assert int(ours["keepalives_idle"]) + 3 * int(ours["keepalives_interval"]) == 30
    assert (ours["keepalives_count"], ours["tcp_user_timeout"]) == ("3", "30000")
