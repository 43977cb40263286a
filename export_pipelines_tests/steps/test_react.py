"""Every run that completes is answered to once by each subscription to it, whatever the order, crowd or crash."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import StoreUnavailableError, ValidationError
from export_pipelines.core.ids import new_id
from export_pipelines.core.jobs import JobStatus
from export_pipelines.core.subscriptions import Position, Subscription
from export_pipelines.db import jobs, subscriptions
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import definitions, runs
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.export import run_export
from export_pipelines.steps.react import MOST, OVERLAP, STRETCH, _answer_all, catch_up, react
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order
from export_pipelines.steps.subscribe import Wish, change, subscribe, wish_of
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.conftest import Clock

INSERT = """
INSERT INTO evaluation.runs (id, definition_id, name, status, completed_at)
SELECT id, %(definition)s, 'Run ' || id, 'COMPLETED', at
FROM unnest(%(ids)s::text[], %(times)s::timestamptz[]) t (id, at)
"""


@pytest.fixture
def subscription(services: Services) -> Subscription:
    return subscribed(services)


def subscribed(services: Services, *, definition: str | None = None, **order: object) -> Subscription:
    wanted = Order(**{"type": "BULK_CSV", "user": DEMO_USER_EMAIL, **order})
    return subscribe(services, Wish(order=wanted, name=new_id(), definition=definition))


def complete(database: Database, times: Iterable[datetime], *, definition: str = SHOWCASE_DEFINITION_ID) -> list[str]:
    """Runs that completed at these times; their ids."""
    at = list(times)
    ids = [new_id() for _ in at]
    with database.raw_connection() as connection:
        connection.execute(INSERT, {"definition": definition, "ids": ids, "times": at})
        connection.commit()
    return ids


def answered(services: Services) -> Counter[tuple[str, str]]:
    """Subscription and run of each answer, by the jobs that were made."""
    query = """
        SELECT a.subscription_id, j.input->>'subject_id' FROM exports.export_jobs j
        LEFT JOIN exports.export_reactions a ON a.job_id = j.id"""
    with services.database.raw_connection() as connection:
        return Counter(connection.execute(query).fetchall())


def once(subscriptions_: Iterable[Subscription], run_ids: Iterable[str]) -> Counter[tuple[str, str]]:
    ids = list(run_ids)
    return Counter({(one.id, run_id): 1 for one in subscriptions_ for run_id in ids})


def test_a_run_that_completes_starts_the_export_that_was_asked_for(services: Services, clock: Clock) -> None:
    delivery = DeliveryRequest(recipients=("ada@example.org",), attach_file=True)
    one = subscribed(services, options={"profile": "flat"}, expiry_hours=72, delivery=delivery)
    with services.database.raw_connection() as connection:
        connection.execute("UPDATE evaluation.runs SET completed_at = %s WHERE id = %s", [clock(), SHOWCASE_RUN_ID])
        connection.commit()
    reacted = react(services, None)
    (job,) = jobs.list_jobs(services.database)
    assert (reacted.job_ids, reacted.refused, reacted.more) == ((job.id,), 0, False)
    assert (job.status, job.user_id, job.type) == (JobStatus.PENDING, one.user_id, "BULK_CSV")
    request = jobs.request_of(job)
    assert (request.subject_id, request.expiry_hours, request.delivery) == (SHOWCASE_RUN_ID, 72, delivery)
    assert request.options == one.options
    assert job.title.endswith(": " + runs.get(services.database, SHOWCASE_RUN_ID).name)
    assert run_export(services, job.id).status is JobStatus.COMPLETED
    assert react(services, reacted.position).job_ids == ()
    assert react(services, None).job_ids == ()


def test_runs_of_one_microsecond_are_answered_to_once_however_they_are_cut(services: Services, clock: Clock) -> None:
    subscribers = [subscribed(services) for _ in range(3)]
    ids = complete(services.database, [clock()] * 40)
    position, looks = None, 0
    while True:
        clock.jump(minutes=20)
        reacted = react(services, position, most=7)
        assert len(reacted.job_ids) <= 7
        position, looks = reacted.position, looks + 1
        if not reacted.more:
            break
    assert answered(services) == once(subscribers, ids)
    assert looks == 120 // 7 + 1


def test_a_run_whose_transaction_ends_behind_later_ones_is_found_by_the_next_look(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    late = complete(services.database, [clock() - timedelta(days=1)])
    with services.database.raw_connection() as slow:
        slow.execute("UPDATE evaluation.runs SET completed_at = %s WHERE id = %s", [clock(), late[0]])
        clock.jump(minutes=2)
        quick = complete(services.database, [clock()])
        clock.jump(minutes=11)
        first = react(services, None)
        assert answered(services) == once([subscription], quick)
        assert first.position is not None
        slow.commit()
    second = react(services, first.position)
    assert len(second.job_ids) == 1
    assert answered(services) == once([subscription], quick + late)


def test_a_run_that_appears_after_the_position_has_passed_it_is_found_by_the_sweep(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    late = complete(services.database, [clock() - timedelta(days=1)])
    with services.database.raw_connection() as slow:
        slow.execute("UPDATE evaluation.runs SET completed_at = %s WHERE id = %s", [clock(), late[0]])
        clock.jump(hours=1)
        quick = complete(services.database, [clock()])
        clock.jump(hours=1)
        position = react(services, None).position
        slow.commit()
    assert react(services, position).job_ids == ()
    assert [len(look.job_ids) for look in catch_up(services)] == [1]
    assert [len(look.job_ids) for look in catch_up(services)] == [0]
    assert answered(services) == once([subscription], quick + late)


def test_the_sweep_goes_through_months_a_stretch_at_a_time(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    start = clock()
    edges = [subscription.active_since, subscription.active_since + STRETCH, subscription.active_since + 3 * STRETCH]
    ids = complete(services.database, [*edges, *(start + timedelta(days=day) for day in range(0, 70, 3))])
    future = complete(services.database, [start + timedelta(days=80)])
    clock.jump(days=70)
    looks = catch_up(services, most=2)
    assert len(looks) > 70 // STRETCH.days
    assert max(len(look.job_ids) for look in looks) <= 2
    assert answered(services) == once([subscription], ids + future)


def test_the_position_stays_behind_the_present_and_never_goes_back(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    complete(services.database, [clock() + timedelta(seconds=n) for n in range(30)])
    position = None
    for jump in (0, 1, 20, 5, 0, 30):
        clock.jump(minutes=jump)
        before, position = position, react(services, position, most=11).position
        if position is not None:
            assert position.completed_at <= clock.now - OVERLAP
            assert before is None or (before.completed_at, before.run_id) <= (position.completed_at, position.run_id)
    assert position is not None
    assert len(subscriptions.reactions(services.database, subscription.id, limit=99)) == 30


def test_ten_thousand_completions_are_worked_off_in_bounded_looks(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    start = clock()
    ids = complete(services.database, [start + timedelta(microseconds=n // 100) for n in range(10_000)])
    clock.jump(hours=1)
    position, looks, more = None, 0, True
    while more:
        reacted = react(services, position)
        assert len(reacted.job_ids) <= MOST
        assert position is None or (reacted.position.completed_at, reacted.position.run_id) >= (
            position.completed_at,
            position.run_id,
        )
        position, looks, more = reacted.position, looks + 1, reacted.more
    assert answered(services) == once([subscription], ids)
    assert looks == 10_000 // MOST + 1


def test_several_sensors_and_a_sweep_at_once_double_nothing(services: Services, clock: Clock) -> None:
    subscribers = [subscribed(services), subscribed(services, definition=SHOWCASE_DEFINITION_ID)]
    ids = complete(services.database, [clock() for _ in range(60)])

    def sensor(_: int) -> None:
        while react(services, None, most=13).more:
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda work: work(0), [sensor, sensor, sensor, lambda _: catch_up(services, most=17)]))
    catch_up(services)
    assert answered(services) == once(subscribers, ids)


@pytest.mark.parametrize("paused", [False, True])
def test_a_subscription_to_other_runs_answers_to_none_completed_before_and_keeps_its_answers(
    services: Services, clock: Clock, paused: bool
) -> None:
    one = subscribed(services, definition=SHOWCASE_DEFINITION_ID)
    other = definitions.fork(services.database, SHOWCASE_DEFINITION_ID, name="Other", now=clock())
    [before, _] = complete(services.database, [clock()]), complete(services.database, [clock()], definition=other.id)
    position = react(services, None).position
    assert answered(services) == once([one], before)
    # Of its own runs, too, what nobody has looked at by the change is not asked for any more.
    complete(services.database, [clock()])
    if paused:
        one = subscriptions.pause(services.database, one.id, now=clock())
    clock.jump(minutes=1)
    changed = change(services, one, replace(wish_of(one), definition=None))
    assert changed.active is not paused
    react(services, position)
    catch_up(services)
    assert answered(services) == once([one], before)
    if paused:
        complete(services.database, [clock()])
        clock.jump(minutes=1)
        subscriptions.resume(services.database, one.id, now=clock())
    after = complete(services.database, [clock()]) + complete(services.database, [clock()], definition=other.id)
    react(services, position)
    assert answered(services) == once([one], before + after)
    back = change(services, subscriptions.get(services.database, one.id), wish_of(one))
    assert back.runs_of == "DEFINITION"
    catch_up(services)
    assert answered(services) == once([one], before + after)


def test_what_is_changed_but_the_runs_counts_for_those_that_have_no_answer_yet(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    ids = complete(services.database, [clock()])
    clock.jump(minutes=1)
    wish = wish_of(subscription)
    change(services, subscription, replace(wish, order=replace(wish.order, expiry_hours=2)))
    react(services, None)
    [job] = jobs.list_jobs(services.database)
    assert answered(services) == once([subscription], ids)
    assert job.input["expiry_hours"] == 2


def test_runs_found_before_a_change_are_left_to_the_next_look(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    complete(services.database, [clock()])
    found = subscriptions.unanswered(services.database, after=None, most=9)
    assert len(found) == 1
    clock.jump(minutes=1)
    change(services, subscription, replace(wish_of(subscription), definition=SHOWCASE_DEFINITION_ID))
    assert list(_answer_all(services, found)) == []
    catch_up(services)
    assert answered(services) == Counter()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("completes"), st.integers(0, 3)),
        st.tuples(st.just("completes unseen"), st.integers(0, 90)),
        st.tuples(st.just("becomes visible"), st.integers(0, 9)),
        st.tuples(st.just("looks"), st.integers(1, 4)),
        st.tuples(st.just("looks from of old"), st.integers(0, 20)),
        st.tuples(st.just("sweeps"), st.integers(1, 3)),
        st.tuples(st.just("waits"), st.integers(0, 40)),
    ),
    min_size=3,
    max_size=14,
)


@given(steps=STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_the_order_of_completions_commits_looks_and_restarts_each_run_is_answered_to_once(
    services: Services, clock: Clock, steps: list[tuple[str, int]]
) -> None:
    subscribers = [subscribed(services), subscribed(services, definition=SHOWCASE_DEFINITION_ID)]
    start, seen, unseen, positions = clock(), [], [], [None]

    def look(after: Position | None, most: int) -> None:
        positions.append(react(services, after, most=most).position)

    actions: dict[str, Callable[[int], object]] = {
        "completes": lambda n: seen.extend(complete(services.database, [clock.now + timedelta(microseconds=1)] * n)),
        "completes unseen": lambda n: unseen.append(max(start, clock.now - timedelta(minutes=n))),
        "becomes visible": lambda n: (
            seen.extend(complete(services.database, [unseen.pop(n)])) if n < len(unseen) else 0
        ),
        "looks": lambda n: look(positions[-1], n),
        "looks from of old": lambda n: look(positions[n % len(positions)], 3),
        "sweeps": lambda n: catch_up(services, most=n),
        "waits": lambda n: clock.jump(minutes=n),
    }
    for name, number in steps:
        actions[name](number)
    seen += complete(services.database, unseen)
    catch_up(services)
    made = Counter({pair: n for pair, n in answered(services).items() if pair[0] in {one.id for one in subscribers}})
    for one in subscribers:
        subscriptions.remove(services.database, one.id)
    assert made == once(subscribers, seen)


def test_an_order_that_cannot_be_carried_out_is_noted_and_blocks_nothing(services: Services, clock: Clock) -> None:
    good, gone = subscribed(services), subscribed(services)
    with services.database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_subscriptions SET type = 'BULK_XML' WHERE id = %s", [gone.id])
        connection.commit()
    deleted = definitions.fork(services.database, SHOWCASE_DEFINITION_ID, name="Gone", now=clock())
    orphan = complete(services.database, [clock()], definition=deleted.id)
    definitions.delete(services.database, deleted.id, now=clock())
    fine = complete(services.database, [clock()])
    reacted = react(services, None)
    assert (len(reacted.job_ids), reacted.refused) == (1, 3)
    assert answered(services) == once([good], fine)
    reasons = {answer.run_id: answer.reason for answer in subscriptions.reactions(services.database, good.id, limit=9)}
    assert reasons[fine[0]] is None
    assert "definition 'Gone' was deleted on" in reasons[orphan[0]]
    assert f"export BULK_CSV --run-id {orphan[0]}" in reasons[orphan[0]]
    for answer in subscriptions.reactions(services.database, gone.id, limit=9):
        assert "'BULK_XML' is unknown" in answer.reason
    assert react(services, None).refused == 0


def test_a_run_that_the_database_refuses_a_job_for_does_not_take_the_others_along(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    ids = complete(services.database, [clock() for _ in range(5)])
    with services.database.raw_connection() as connection:
        connection.execute(f"ALTER TABLE exports.export_jobs ADD CONSTRAINT not_it CHECK (title NOT LIKE '%{ids[2]}')")
        connection.commit()
    reacted = react(services, None)
    assert (len(reacted.job_ids), reacted.refused) == (4, 1)
    tally = subscriptions.tallies(services.database, [subscription.id])[subscription.id]
    assert "not_it" in tally.last_refusal


def test_while_the_store_is_away_nothing_is_made_and_nothing_is_lost(
    services: Services, subscription: Subscription, clock: Clock
) -> None:
    ids = complete(services.database, [clock()])
    blocked = services.settings.home / "file"
    blocked.write_text("in the way")
    with pytest.raises((StoreUnavailableError, ValidationError), match="file"):
        react(replace(services, store=LocalStore(blocked / "store")), None)
    assert subscriptions.reactions(services.database, subscription.id, limit=9) == ()
    react(services, None)
    assert answered(services) == once([subscription], ids)


def test_recipients_that_plain_sql_has_damaged_are_the_answer_to_every_run_and_harm_no_other_subscription(
    services: Services,
) -> None:
    broken, sound = subscribed(services), subscribed(services)
    with services.database.raw_connection(autocommit=True) as connection:
        damage = "UPDATE exports.export_subscriptions SET recipients = '[5]' WHERE id = %s"
        connection.execute(damage.encode(), [broken.id])
    complete(services.database, [services.clock()])
    reacted = react(services, None)
    assert (len(reacted.job_ids), reacted.refused) == (1, 1)
    [answer] = subscriptions.reactions(services.database, broken.id, limit=2)
    assert answer.reason == "recipients must be texts, each an e-mail address or webhook:NAME."
    assert subscriptions.reactions(services.database, sound.id, limit=2)[0].job_id is not None
