"""Counting attempts to log in."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from export_pipelines.core.errors import TooManyRequestsError
from export_pipelines.db import logins
from export_pipelines.db.database import Database
from export_pipelines.db.tables import CountedRequest
from export_pipelines_tests.db.rows import NOW, later


def attempt(
    database: Database, *, email: str = "a@example.org", address: str = "192.0.2.1", seconds: float = 0
) -> bool:
    """Whether its password would be looked at."""
    try:
        logins.begin_attempt(database, email=email, address=address, now=later(seconds=seconds))
    except TooManyRequestsError:
        return False
    return True


def test_of_many_attempts_at_once_no_more_are_looked_at_than_may_fail(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        looked_at = list(pool.map(lambda _: attempt(database), range(30)))
    assert looked_at.count(True) == logins.MOST_FAILED


def test_the_address_and_the_e_mail_address_count_each_for_itself(database: Database) -> None:
    for number in range(logins.MOST_FAILED):
        assert attempt(database, email=f"{number}@example.org")
    assert not attempt(database, email="another@example.org")
    assert attempt(database, email="another@example.org", address="192.0.2.2")
    for number in range(logins.MOST_FAILED - 1):
        assert attempt(database, email="ANOTHER@example.org ", address=f"192.0.3.{number}")
    assert not attempt(database, email="another@example.org", address="192.0.2.3")


def test_a_right_password_is_no_failure_and_old_failures_are_forgotten(database: Database) -> None:
    for _ in range(3 * logins.MOST_FAILED):
        right = logins.begin_attempt(database, email="a@example.org", address=None, now=NOW)
        logins.take_back(database, right)
    for number in range(logins.MOST_FAILED):
        assert attempt(database, seconds=number)
    with pytest.raises(TooManyRequestsError, match="Try again in 15 minutes") as refused:
        logins.begin_attempt(database, email="a@example.org", address=None, now=later(seconds=9.5))
    assert refused.value.retry_after == 15 * 60 - 9
    assert attempt(database, seconds=15 * 60)
    assert not attempt(database, seconds=15 * 60)


def test_what_was_typed_as_an_address_is_not_kept_and_what_is_over_is_dropped(database: Database) -> None:
    attempt(database, email="my password, in the wrong field")
    attempt(database, address="192.0.2.9", seconds=15 * 60)
    with database.transaction() as session:
        kept = [row.who for row in session.scalars(select(CountedRequest))]
    assert len(kept) == 2
    assert "password" not in str(kept)
