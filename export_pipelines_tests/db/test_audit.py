"""The audit log."""

from datetime import datetime, timedelta, timezone

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.db import audit
from export_pipelines.db.database import Database
from export_pipelines.db.tables import ACTIONS
from export_pipelines_tests.db.rows import NOW


def write(database: Database, action: str, at: datetime = NOW) -> None:
    with database.transaction() as session:
        audit.record(session, job_id="cgone", action=action, at=at)


def test_events_of_one_moment_keep_their_order(database: Database) -> None:
    for action in reversed(ACTIONS):
        write(database, action)
    assert [entry.action for entry in audit.list_for_job(database, "cgone")] == list(reversed(ACTIONS))


def test_an_unknown_action_is_refused(database: Database) -> None:
    with pytest.raises(ValidationError, match="known_action"):
        write(database, "printed")


def test_times_are_utc(database: Database) -> None:
    write(database, "shared", at=NOW.astimezone(timezone(timedelta(hours=5, minutes=45))))
    (entry,) = audit.list_for_job(database, "cgone")
    assert entry.at == NOW
    assert entry.at.utcoffset() == timedelta(0)


def test_a_job_without_history_has_none(database: Database) -> None:
    assert audit.list_for_job(database, "cnothing") == ()
