"""The look for runs that have no answer yet: which it finds, in which order, on whose tables, and at what price."""

from datetime import datetime
from typing import Any

from export_pipelines.core.evaluation import RunStatus
from export_pipelines.core.subscriptions import Position, RunsOf
from export_pipelines.db import migrate, subscriptions
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import tags
from export_pipelines.db.subscriptions.unanswered import _UNANSWERED
from export_pipelines_tests.db.rows import NOW, add_definition, add_run, add_subscription, later

# As applications of the kind make them: other types than ours, and no index on the time of completion.
APPLICATION = """
CREATE TABLE public.users (id text PRIMARY KEY);
CREATE TABLE public.definitions (id text PRIMARY KEY, name text NOT NULL, deleted_at timestamp(3));
CREATE TABLE public.tags (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.definition_tags (definition_id text, tag_id text, created_at timestamp(3) NOT NULL);
CREATE TABLE public.runs (
    id text PRIMARY KEY, definition_id text NOT NULL, name text, status text NOT NULL,
    completed_at timestamp(3), deleted_at timestamp(3)
);
INSERT INTO public.users VALUES ('cann');
INSERT INTO public.definitions VALUES ('cdef', 'Lifeboat');
INSERT INTO public.tags VALUES ('ctag', 'care');
INSERT INTO public.definition_tags VALUES ('cdef', 'ctag', '2026-01-01');
INSERT INTO public.runs VALUES
    ('crun1', 'cdef', 'One', 'COMPLETED', '2026-03-01 12:00:01.5', NULL),
    ('crun2', 'cdef', '', 'RUNNING', NULL, NULL),
    ('crun3', 'cdef', NULL, 'COMPLETED', '2026-03-01 12:00:01.5', NULL);
"""


def completed(database: Database, definition_id: str, at: datetime = NOW, **fields: Any) -> str:
    return add_run(database, definition_id, completed_at=at, **fields)


def found(database: Database, after: Position | None = None, most: int = 100) -> list[tuple[str, str]]:
    runs = subscriptions.unanswered(database, after=after, most=most)
    return [(run.subscription_id, run.run_id) for run in runs]


def test_runs_come_in_the_order_of_completion_and_only_those_behind_the_position(database: Database) -> None:
    definition = add_definition(database)
    second = completed(database, definition, later(seconds=1), id="cz")
    third = completed(database, definition, later(seconds=2), id="ca")
    same = completed(database, definition, later(seconds=1), id="cy")
    one = add_subscription(database).id
    assert found(database) == [(one, same), (one, second), (one, third)]
    assert found(database, most=2) == [(one, same), (one, second)]
    place = Position(completed_at=later(seconds=1), run_id=same)
    assert found(database, after=place) == [(one, second), (one, third)]
    assert found(database, after=Position(completed_at=later(seconds=1))) == found(database)
    before = subscriptions.unanswered(database, after=None, until=later(seconds=2), most=9)
    assert [run.run_id for run in before] == [same, second]


def test_only_completed_runs_that_are_not_deleted_and_completed_since_are_found(database: Database) -> None:
    definition = add_definition(database)
    completed(database, definition, later(microseconds=-1))
    at_once = completed(database, definition, NOW)
    completed(database, definition, later(hours=1), deleted_at=later(hours=2))
    completed(database, definition, later(hours=1), status=RunStatus.FAILED)
    add_run(database, definition, status=RunStatus.RUNNING)
    one = add_subscription(database)
    assert found(database) == [(one.id, at_once)]
    subscriptions.pause(database, one.id, now=later(hours=1))
    assert found(database) == []
    completed(database, definition, later(hours=2))
    subscriptions.resume(database, one.id, now=later(hours=3))
    since = completed(database, definition, later(hours=4))
    assert found(database) == [(one.id, since)]


def test_a_subscription_finds_the_runs_of_its_definition_or_its_tag(database: Database) -> None:
    wanted, other = add_definition(database), add_definition(database)
    tags.put_on(database, wanted, names=["care"], now=NOW)
    care = tags.of_definition(database, wanted)[0].id
    run, elsewhere = completed(database, wanted, id="ca"), completed(database, other, id="cb")
    of_definition = add_subscription(database, runs_of=RunsOf.DEFINITION, subject_id=wanted).id
    of_tag = add_subscription(database, runs_of=RunsOf.TAG, subject_id=care).id
    of_all = add_subscription(database).id
    assert sorted(found(database)) == sorted([(of_definition, run), (of_tag, run), (of_all, run), (of_all, elsewhere)])


def test_tagging_a_definition_starts_nothing_for_runs_of_before(database: Database) -> None:
    definition = add_definition(database)
    completed(database, definition, NOW)
    tags.put_on(database, definition, names=["care"], now=later(hours=1))
    care = tags.of_definition(database, definition)[0].id
    one = add_subscription(database, runs_of=RunsOf.TAG, subject_id=care).id
    assert found(database) == []
    run = completed(database, definition, later(hours=2))
    assert found(database) == [(one, run)]


def test_a_run_that_was_answered_to_is_not_found_again_also_when_the_answer_was_no(database: Database) -> None:
    definition = add_definition(database)
    first, second = completed(database, definition, id="ca"), completed(database, definition, id="cb")
    one = add_subscription(database)
    subscriptions.record(database, one, [subscriptions.Answer(run_id=first, outcome="no")], now=NOW)
    assert found(database) == [(one.id, second)]


def test_a_look_reads_the_index_and_not_the_table(database: Database) -> None:
    definition = add_definition(database)
    add_subscription(database)
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(
            """INSERT INTO evaluation.runs (id, definition_id, status, completed_at)
            SELECT 'c' || n, %s, 'COMPLETED', %s + n * interval '1 second' FROM generate_series(1, 20000) n""",
            [definition, NOW],
        )
        connection.execute("ANALYZE evaluation.runs")
        values = {":completed_at": "'2026-03-01 17:00:00+00'", ":run_id": "''", ":until": "NULL", ":most": "200"}
        statement = database.sql(_UNANSWERED)
        for name, value in values.items():
            statement = statement.replace(name, value)
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {statement}".encode()))
    assert "ix_runs_completed" in plan
    assert "Seq Scan on runs" not in plan


def test_an_applications_own_tables_are_read_as_they_are(empty_database: str) -> None:
    database = Database(empty_database, schemas={"evaluation": "public"})
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(APPLICATION)
    migrate.upgrade(database)
    subjects = {RunsOf.ALL: (None, None), RunsOf.DEFINITION: ("cdef", "Lifeboat"), RunsOf.TAG: ("ctag", "care")}
    for runs_of, (subject_id, name) in subjects.items():
        one = add_subscription(database, user_id="cann", runs_of=runs_of, subject_id=subject_id)
        first, second = subscriptions.unanswered(database, after=None, most=10)
        assert (first.run_id, first.run_name, first.completed_at) == ("crun1", "One", later(seconds=1.5))
        assert (second.run_id, second.run_name, second.definition_name) == ("crun3", "crun3", "Lifeboat")
        assert found(database, after=first.position) == [(one.id, "crun3")]
        assert subscriptions.tallies(database, [one.id])[one.id].subject == name
        subscriptions.remove(database, one.id)
    database.close()
