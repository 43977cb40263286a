"""What the database says, in our words: the right error, no password, no content of rows."""

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import DatabaseUnavailableError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.tables import Base, Definition, User
from export_pipelines_tests.dagster_ui import free_ports
from export_pipelines_tests.db.rows import add_user


def insert(database: Database, row: Base) -> None:
    with database.transaction() as session:
        session.add(row)


def unused_port() -> int:
    with free_ports(1) as [port]:
        return port


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    port = unused_port()
    database = Database(f"postgresql://ann:hidden-word@127.0.0.1:{port}/app")
    with pytest.raises(DatabaseUnavailableError) as caught, database.transaction() as session:
        session.execute(text("SELECT 1"))
    assert f"127.0.0.1:{port}/app" in str(caught.value)
    assert "refused" in str(caught.value)
    assert "hidden-word" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_raw_connection_that_fails_is_told_in_the_same_way() -> None:
    database = Database(f"postgresql://ann:hidden-word@127.0.0.1:{unused_port()}/app")
    with pytest.raises(DatabaseUnavailableError, match="Check that it runs"), database.raw_connection():
        pass


def test_a_database_that_does_not_exist_is_named(database: Database) -> None:
    missing = Database(database.url.replace("/test_", "/no_"))
    with pytest.raises(DatabaseUnavailableError, match="does not exist"), missing.transaction() as session:
        session.execute(text("SELECT 1"))


def test_a_database_that_was_never_migrated_says_what_to_run(empty_database: str) -> None:
    with pytest.raises(ValidationError, match="Run: export-pipelines db migrate"):
        add_user(Database(empty_database))


def test_a_role_without_rights_is_told_so(database: Database) -> None:
    # Rolled back, as roles are the whole server's.
    as_nobody = "CREATE ROLE nobody_in_particular; SET ROLE nobody_in_particular; SELECT * FROM evaluation.users"
    with pytest.raises(ValidationError, match="permission denied for"), database.raw_connection() as connection:
        connection.execute(as_nobody)


def test_a_broken_rule_does_not_quote_the_row(database: Database) -> None:
    with pytest.raises(ValidationError) as caught:
        insert(database, User(email="no address", password_hash="argon2-hash"))
    assert "ck_users_email_shape" in str(caught.value)
    assert "argon2-hash" not in str(caught.value)


@pytest.mark.parametrize("name", ["a\x00b", "a\ud800b"], ids=["NUL", "lone surrogate"])
def test_text_that_postgresql_cannot_hold_is_an_error_of_the_request(database: Database, name: str) -> None:
    with pytest.raises(ValidationError):
        insert(database, Definition(name=name, content={}))
    with pytest.raises(ValidationError):
        insert(database, Definition(name="in content", content={"preamble": name}))


def test_a_missing_value_is_an_error_of_the_request(database: Database) -> None:
    with pytest.raises(ValidationError, match="password_hash"):
        insert(database, User(email="a@b"))


def test_a_lost_connection_is_away_and_the_next_transaction_has_a_new_one(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError), database.transaction() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert add_user(database)


def test_an_error_that_is_our_own_bug_stays_as_it_is(database: Database) -> None:
    with pytest.raises(Exception, match="syntax error") as caught, database.transaction() as session:
        session.execute(text("SELEKT 1"))
    assert type(caught.value).__module__.startswith("sqlalchemy")


def test_a_statement_that_outlasts_its_limit_names_the_setting(database: Database) -> None:
    impatient = "SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)"
    named = pytest.raises(DatabaseUnavailableError, match="EXPORT_PIPELINES_STATEMENT_TIMEOUT_SECONDS")
    with named, database.raw_connection() as connection:
        connection.execute(impatient)


def test_a_deadlock_is_worth_another_try(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError), database.transaction() as session:
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$"))
