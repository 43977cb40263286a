"""Runs: their statuses, lists, and soft deletion."""

from datetime import timedelta

import pytest

from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import runs
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW


def test_a_new_run_is_pending(database: Database) -> None:
    made = samples.run(database, samples.definition(database).id, name="first")

    assert (made.status, made.started_at, made.completed_at, made.progress) == (RunStatus.PENDING, None, None, None)
    assert made.config == {"models": ["a:b"]}
    assert runs.get(database, made.id) == made


def test_a_run_notes_when_it_first_started_and_when_it_ended(database: Database) -> None:
    made = samples.run(database, samples.definition(database).id)

    runs.set_status(database, made.id, status=RunStatus.RUNNING, now=NOW)
    runs.set_status(database, made.id, status=RunStatus.PAUSED, now=NOW + timedelta(minutes=1))
    runs.set_status(database, made.id, status=RunStatus.RUNNING, now=NOW + timedelta(minutes=2))
    ended = runs.set_status(database, made.id, status=RunStatus.COMPLETED, now=LATER)

    assert (ended.started_at, ended.completed_at) == (NOW, LATER)


@pytest.mark.parametrize("final", sorted(runs.FINISHED))
def test_a_finished_run_stays_finished(database: Database, final: RunStatus) -> None:
    made = samples.run(database, samples.definition(database).id)
    ended = runs.set_status(database, made.id, status=final, now=NOW)

    with pytest.raises(ValidationError, match=f"is {final} and cannot become RUNNING"):
        runs.set_status(database, made.id, status=RunStatus.RUNNING, now=LATER)

    assert runs.set_status(database, made.id, status=final, now=LATER) == ended


def test_lists_leave_out_what_is_deleted_and_can_be_narrowed(database: Database) -> None:
    one, other = samples.definition(database, "one"), samples.definition(database, "other")
    first, second = samples.run(database, one.id), samples.run(database, other.id)
    gone = samples.run(database, one.id)
    runs.delete(database, gone.id, now=LATER)
    runs.set_status(database, second.id, status=RunStatus.RUNNING, now=LATER)

    assert {run.id for run in runs.list_all(database)} == {first.id, second.id}
    assert [run.id for run in runs.list_all(database, definition_id=one.id)] == [first.id]
    assert [run.id for run in runs.list_all(database, status=RunStatus.RUNNING)] == [second.id]


def test_progress_can_be_updated_alone(database: Database) -> None:
    made = samples.run(database, samples.definition(database).id, name="first")

    changed = runs.update_run(database, made.id, progress={"total": 4, "completed": 1}, now=LATER)

    assert (changed.progress, changed.name, changed.config) == ({"total": 4, "completed": 1}, "first", made.config)


def test_a_deleted_run_is_not_found(database: Database) -> None:
    made = samples.run(database, samples.definition(database).id)
    runs.delete(database, made.id, now=LATER)

    for call in (
        lambda: runs.get(database, made.id),
        lambda: runs.delete(database, made.id, now=LATER),
        lambda: runs.update_run(database, made.id, name="x", now=LATER),
        lambda: runs.set_status(database, made.id, status=RunStatus.RUNNING, now=LATER),
    ):
        with pytest.raises(NotFoundError, match="was deleted"):
            call()


def test_a_run_of_an_unknown_definition_is_refused(database: Database) -> None:
    with pytest.raises(NotFoundError, match="no definition"):
        samples.run(database, "cnothing")
