"""Answering to runs: the job and the note that the run was answered to, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from export_pipelines.core.jobs import ExportRequest
from export_pipelines.core.subscriptions import Reaction, Subscription
from export_pipelines.db.database import Database
from export_pipelines.db.jobs.creation import create_all_in
from export_pipelines.db.subscriptions.records import reaction_of
from export_pipelines.db.tables import ExportReaction, ExportSubscription

_REASON_LENGTH = 2_000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to answer to a run: the export to be made, or the reason why there is none."""

    run_id: str
    outcome: ExportRequest | str


def record(database: Database, seen: Subscription, answers: Sequence[Answer], *, now: datetime) -> tuple[Reaction, ...]:
    """Make the jobs and note the answers, all or none of them; runs that have been answered to are left alone.

    Whoever answers holds the subscription's row, so two at once (sensor and sweep, or two daemons) go one after the
    other, and the second finds nothing left to do. The table's key would refuse a double even so.

    Args:
        database: where.
        seen: the subscription as it was when the answers were thought out.
        answers: to runs that it asks for.
        now: the present moment.

    Returns:
        What was answered here; nothing when the subscription was changed, paused or removed meanwhile.

    Raises:
        ValidationError: the database refuses a request; nothing was written.
    """
    with database.transaction() as session:
        if not _held(session, seen):
            return ()
        before = _answered(session, seen.id, answers)
        new = [answer for answer in answers if answer.run_id not in before]
        requests = [answer.outcome for answer in new if isinstance(answer.outcome, ExportRequest)]
        made = iter(create_all_in(database, session, requests, now=now))
        rows = [
            ExportReaction(
                subscription_id=seen.id,
                run_id=answer.run_id,
                at=now,
                job_id=None if isinstance(answer.outcome, str) else next(made).id,
                reason=answer.outcome[:_REASON_LENGTH] if isinstance(answer.outcome, str) else None,
            )
            for answer in new
        ]
        session.add_all(rows)
        session.flush()
        return tuple(reaction_of(row) for row in rows)


def _held(session: Session, seen: Subscription) -> bool:
    unchanged = (ExportSubscription.id == seen.id, ExportSubscription.updated_at == seen.updated_at)
    active = select(ExportSubscription.id).where(*unchanged, ExportSubscription.active)
    return session.scalar(active.with_for_update()) is not None


def _answered(session: Session, subscription_id: str, answers: Sequence[Answer]) -> frozenset[str]:
    run_ids = [answer.run_id for answer in answers]
    query = select(ExportReaction.run_id).where(
        ExportReaction.subscription_id == subscription_id, ExportReaction.run_id.in_(run_ids)
    )
    return frozenset(session.scalars(query))
