"""API keys: shown once, stored as a keyed hash, gone with their user."""

import base64
from datetime import timedelta

import pytest
from sqlalchemy import text

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import api_keys, users
from export_pipelines_tests.db.evaluation.samples import LATER, NOW

SECRET = b"a secret of this deployment"


@pytest.fixture
def user(database: Database) -> records.User:
    return users.create(database, email="ada@example.org", password="correct horse battery", now=NOW)


def test_a_key_is_a_mark_and_32_random_bytes(database: Database, user: records.User) -> None:
    made = api_keys.create(database, user_id=user.id, name="notebook", secret=SECRET, now=NOW)
    other = api_keys.create(database, user_id=user.id, name="script", secret=SECRET, now=NOW)

    assert made.key.startswith("ek_")
    assert len(base64.urlsafe_b64decode(made.key[3:] + "=")) == 32
    assert made.record.prefix == made.key[:12]
    assert made.key != other.key


def test_the_key_itself_is_neither_stored_nor_printed(database: Database, user: records.User) -> None:
    made = api_keys.create(database, user_id=user.id, name="notebook", secret=SECRET, now=NOW)

    with database.transaction() as session:
        row = session.execute(text(database.sql("SELECT * FROM {evaluation}.api_keys"))).mappings().one()

    assert made.key[12:] not in str(dict(row))
    assert made.key not in repr(made)
    assert api_keys.get(database, made.record.id) == made.record


def test_a_key_lets_its_user_in_and_remembers_when(database: Database, user: records.User) -> None:
    made = api_keys.create(database, user_id=user.id, name="notebook", secret=SECRET, now=NOW)

    assert api_keys.authenticate(database, made.key, secret=SECRET, now=LATER) == user
    assert api_keys.get(database, made.record.id).last_used_at == LATER


@pytest.mark.parametrize("key", ["", "ek_", "ek_nothing", "\x00", "\ud800", "é"])
def test_an_unknown_key_lets_nobody_in(database: Database, user: records.User, key: str) -> None:
    api_keys.create(database, user_id=user.id, name="notebook", secret=SECRET, now=NOW)

    assert api_keys.authenticate(database, key, secret=SECRET, now=LATER) is None


def test_a_key_is_worth_nothing_under_another_secret(database: Database, user: records.User) -> None:
    made = api_keys.create(database, user_id=user.id, name="notebook", secret=SECRET, now=NOW)

    assert api_keys.authenticate(database, made.key, secret=b"another", now=LATER) is None


def test_a_revoked_key_lets_nobody_in_and_stays_listed(database: Database, user: records.User) -> None:
    made = api_keys.create(database, user_id=user.id, name="notebook", secret=SECRET, now=NOW)

    api_keys.revoke(database, made.record.id, now=LATER)
    again = api_keys.revoke(database, made.record.id, now=LATER + timedelta(days=1))

    assert again.revoked_at == LATER
    assert api_keys.authenticate(database, made.key, secret=SECRET, now=LATER) is None
    assert api_keys.list_for_user(database, user.id) == (again,)


def test_a_key_stops_working_when_its_time_is_over(database: Database, user: records.User) -> None:
    made = api_keys.create(database, user_id=user.id, name="guest", secret=SECRET, expires_at=LATER, now=NOW)

    assert api_keys.authenticate(database, made.key, secret=SECRET, now=LATER - timedelta(seconds=1)) == user
    assert api_keys.authenticate(database, made.key, secret=SECRET, now=LATER) is None


def test_a_key_that_would_be_expired_already_is_refused(database: Database, user: records.User) -> None:
    with pytest.raises(ValidationError, match="has passed"):
        api_keys.create(database, user_id=user.id, name="late", secret=SECRET, expires_at=NOW, now=NOW)


def test_a_key_for_nobody_is_refused(database: Database) -> None:
    with pytest.raises(NotFoundError, match="no user"):
        api_keys.create(database, user_id="cnobody", name="notebook", secret=SECRET, now=NOW)


def test_a_key_can_be_renamed_and_removed(database: Database, user: records.User) -> None:
    made = api_keys.create(database, user_id=user.id, name="notebook", secret=SECRET, now=NOW)

    assert api_keys.rename(database, made.record.id, name="laptop").name == "laptop"
    api_keys.delete(database, made.record.id)

    with pytest.raises(NotFoundError):
        api_keys.get(database, made.record.id)


def test_keys_go_with_their_user(database: Database, user: records.User) -> None:
    made = api_keys.create(database, user_id=user.id, name="notebook", secret=SECRET, now=NOW)

    users.delete(database, user.id)

    assert api_keys.authenticate(database, made.key, secret=SECRET, now=LATER) is None
    assert api_keys.list_for_user(database, user.id) == ()
