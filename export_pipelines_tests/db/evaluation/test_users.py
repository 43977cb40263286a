"""Users: e-mail addresses, passwords, removal."""

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import users
from export_pipelines_tests.db.evaluation.samples import LATER, NOW

PASSWORD = "correct horse battery"


def test_a_user_is_found_by_id_and_by_address_in_any_case(database: Database) -> None:
    made = users.create(database, email=" Ada@Example.org ", name="Ada", password=PASSWORD, now=NOW)

    assert made.email == "Ada@Example.org"
    assert users.get(database, made.id) == made
    assert users.get_by_email(database, "ada@example.ORG") == made
    assert users.list_all(database) == (made,)


def test_of_a_password_only_an_argon2id_hash_is_stored(database: Database) -> None:
    users.create(database, email="ada@example.org", password=PASSWORD, now=NOW)

    with database.transaction() as session:
        row = session.execute(text(database.sql("SELECT * FROM {evaluation}.users"))).mappings().one()

    assert row["password_hash"].startswith("$argon2id$")
    assert PASSWORD not in str(dict(row))


def test_only_the_right_password_verifies(database: Database) -> None:
    made = users.create(database, email="ada@example.org", password=PASSWORD, now=NOW)

    assert users.verify(database, email="ADA@example.org", password=PASSWORD) == made
    assert users.verify(database, email="ada@example.org", password=PASSWORD + " ") is None
    assert users.verify(database, email="bob@example.org", password=PASSWORD) is None


def test_a_weaker_hash_is_renewed_when_its_password_verifies(database: Database) -> None:
    users.create(database, email="ada@example.org", password=PASSWORD, now=NOW)
    weak = users.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with database.transaction() as session:
        session.execute(text(database.sql("UPDATE {evaluation}.users SET password_hash = :weak")), {"weak": weak})

    assert users.verify(database, email="ada@example.org", password=PASSWORD) is not None

    with database.transaction() as session:
        stored = session.scalar(text(database.sql("SELECT password_hash FROM {evaluation}.users")))
    assert stored != weak
    assert users.verify(database, email="ada@example.org", password=PASSWORD) is not None


def test_an_address_belongs_to_one_user_whatever_its_case(database: Database) -> None:
    users.create(database, email="ada@example.org", password=PASSWORD, now=NOW)

    with pytest.raises(ConflictError, match=r"ADA@example.org"):
        users.create(database, email="ADA@example.org", password=PASSWORD, now=NOW)


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.org", "a da@example.org", "ada@exa\nmple.org"])
def test_what_is_no_address_is_refused(database: Database, email: str) -> None:
    with pytest.raises(ValidationError, match="e-mail"):
        users.create(database, email=email, password=PASSWORD, now=NOW)


def test_a_short_password_is_refused_without_being_repeated(database: Database) -> None:
    with pytest.raises(ValidationError, match="too short") as refused:
        users.create(database, email="ada@example.org", password="hunter2", now=NOW)

    assert "hunter2" not in str(refused.value)


def test_a_user_may_change_the_case_of_their_own_address_and_their_password(database: Database) -> None:
    made = users.create(database, email="ada@example.org", password=PASSWORD, now=NOW)

    changed = users.update_user(
        database, made.id, email="Ada@Example.org", name="Ada L.", password=PASSWORD[::-1], now=LATER
    )

    assert (changed.email, changed.name, changed.updated_at) == ("Ada@Example.org", "Ada L.", LATER)
    assert users.verify(database, email="ada@example.org", password=PASSWORD[::-1]) == changed
    assert users.verify(database, email="ada@example.org", password=PASSWORD) is None


def test_a_user_cannot_take_somebody_elses_address(database: Database) -> None:
    users.create(database, email="ada@example.org", password=PASSWORD, now=NOW)
    bob = users.create(database, email="bob@example.org", password=PASSWORD, now=NOW)

    with pytest.raises(ConflictError):
        users.update_user(database, bob.id, email="Ada@example.org", now=LATER)


def test_a_removed_user_is_not_found(database: Database) -> None:
    made = users.create(database, email="ada@example.org", password=PASSWORD, now=NOW)

    users.delete(database, made.id)

    with pytest.raises(NotFoundError):
        users.get(database, made.id)
    with pytest.raises(NotFoundError, match=r"ada@example.org"):
        users.get_by_email(database, "ada@example.org")
