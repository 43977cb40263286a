"""An answer and its job are one: both are written, or neither."""

from dataclasses import replace

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.jobs import ExportRequest, JobStatus
from export_pipelines.core.subscriptions import Subscription
from export_pipelines.db import audit, jobs, subscriptions
from export_pipelines.db.database import Database
from export_pipelines.db.subscriptions import Answer
from export_pipelines_tests.db.rows import NOW, add_subscription, later


@pytest.fixture
def subscription(database: Database) -> Subscription:
    return add_subscription(database)


def export_of(run_id: str, subscription: Subscription) -> Answer:
    request = ExportRequest(type="BULK_CSV", subject_id=run_id, user_id=subscription.user_id)
    return Answer(run_id=run_id, outcome=request)


def test_an_answer_makes_a_pending_job_with_its_audit_entry(database: Database, subscription: Subscription) -> None:
    (reaction,) = subscriptions.record(database, subscription, [export_of("c1", subscription)], now=NOW)
    (job,) = jobs.list_jobs(database)
    assert (reaction.run_id, reaction.job_id, reaction.reason, reaction.at) == ("c1", job.id, None, NOW)
    assert (job.status, job.input["subject_id"]) == (JobStatus.PENDING, "c1")
    assert [entry.action for entry in audit.list_for_job(database, job.id)] == ["created"]


def test_a_run_is_answered_to_once_also_when_it_is_named_again_with_others(
    database: Database, subscription: Subscription
) -> None:
    first = subscriptions.record(database, subscription, [export_of("c1", subscription)], now=NOW)
    both = [export_of("c1", subscription), Answer(run_id="c2", outcome="no")]
    (second,) = subscriptions.record(database, subscription, both, now=later(hours=1))
    assert (second.run_id, second.reason) == ("c2", "no")
    assert len(jobs.list_jobs(database)) == 1
    assert subscriptions.reactions(database, subscription.id, limit=9) == (second, *first)


def test_when_the_answer_cannot_be_written_there_is_no_job(database: Database, subscription: Subscription) -> None:
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("ALTER TABLE exports.export_reactions ADD CONSTRAINT no_c2 CHECK (run_id <> 'c2')")
    with pytest.raises(ValidationError, match="no_c2"):
        subscriptions.record(
            database, subscription, [export_of("c1", subscription), export_of("c2", subscription)], now=NOW
        )
    assert jobs.list_jobs(database) == ()
    assert subscriptions.reactions(database, subscription.id, limit=9) == ()


def test_a_paused_or_removed_subscription_answers_nothing(database: Database, subscription: Subscription) -> None:
    subscriptions.pause(database, subscription.id, now=NOW)
    assert subscriptions.record(database, subscription, [export_of("c1", subscription)], now=NOW) == ()
    subscriptions.remove(database, subscription.id)
    assert subscriptions.record(database, subscription, [export_of("c1", subscription)], now=NOW) == ()
    assert jobs.list_jobs(database) == ()


def test_what_was_thought_out_before_a_change_is_not_answered(database: Database, subscription: Subscription) -> None:
    changed = subscriptions.alter(database, subscription, replace(subscription, expiry_hours=1), now=later(hours=1))
    assert subscriptions.record(database, subscription, [export_of("c1", subscription)], now=later(hours=2)) == ()
    assert jobs.list_jobs(database) == ()
    assert len(subscriptions.record(database, changed, [export_of("c1", changed)], now=later(hours=2))) == 1


def test_a_tally_counts_jobs_and_refusals_with_the_last_reason(database: Database, subscription: Subscription) -> None:
    other = add_subscription(database)
    assert subscriptions.tallies(database, [other.id])[other.id].last_at is None
    for hour, outcome in enumerate(("first", "second")):
        answer = Answer(run_id=f"c{hour}", outcome=outcome)
        subscriptions.record(database, subscription, [answer], now=later(hours=hour))
    subscriptions.record(database, subscription, [export_of("c9", subscription)], now=later(hours=5))
    tally = subscriptions.tallies(database, [subscription.id])[subscription.id]
    assert (tally.jobs, tally.refused, tally.last_at, tally.last_refusal) == (1, 2, later(hours=5), "second")
