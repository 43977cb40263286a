"""React: start the exports that subscriptions ask for when an evaluation run has completed.

Exactly once for every subscription and run: the answer is a row, written in the transaction that makes the job. The
position that a sensor keeps is there to save work only. Runs are seen in the order of ``(completed_at, id)``, but they
do not become visible in that order, since a run's time is set before its transaction ends. So a position never comes
nearer to the present than :data:`OVERLAP`, what lies after it is looked at again each time, and what appears later than
that is found by :func:`catch_up`, which begins at the beginning each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import NotFoundError, RequestError, ValidationError
from export_pipelines.core.jobs import ExportRequest
from export_pipelines.core.subscriptions import Position, Reaction, Subscription, Unanswered
from export_pipelines.db import subscriptions
from export_pipelines.db.subscriptions import Answer
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import check_terms, require_ready, title_of
from export_pipelines.steps.subscribe import order_of

MOST = 200
"""Answers in one look, so that a burst of completions is worked off in ticks that end within seconds."""
OVERLAP = timedelta(minutes=15)
"""Longer than a transaction that completes a run stays open, and than two machines' clocks are apart."""
STRETCH = timedelta(days=7)
"""Completions that one statement of the sweep is about."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_TOGETHER = 50
"""Answers in one transaction: others who write the audit log wait for no more than these."""


@dataclass(frozen=True, kw_only=True)
class Reacted:
    """What came of one look.

    Attributes:
        job_ids: the exports that were started.
        refused: answers without an export; the reason of each stands beside it.
        position: where to look on from; None before there is anything behind us.
        more: whether there was more to do than one look does.
        looked_for: how long it took to find the runs; None when no subscription is active, and none were looked for.
    """

    job_ids: tuple[str, ...] = ()
    refused: int = 0
    position: Position | None = None
    more: bool = False
    looked_for: timedelta | None = None


def react(services: Services, position: Position | None, *, most: int = MOST) -> Reacted:
    """Answer to runs completed after the position, in their order, at most so many answers.

    Raises:
        StoreUnavailableError, DatabaseUnavailableError: the world is away; nothing is lost, look again.
        ValidationError: a key cannot be used.
    """
    # Where nobody subscribes, the application's runs are not read at all.
    if subscriptions.active_since(services.database) is None:
        return Reacted(position=position)
    return _look(services, position, horizon=services.clock() - OVERLAP, most=most)


def catch_up(services: Services, *, most: int = MOST) -> tuple[Reacted, ...]:
    """Answer to every run that a subscription asked for and that has no answer, however long ago it completed.

    A stretch of time after the other, so that no statement is about more runs than complete in :data:`STRETCH`.

    Raises:
        StoreUnavailableError, DatabaseUnavailableError, ValidationError: as :func:`react`.
    """
    now = services.clock()
    begin = subscriptions.active_since(services.database)
    looks: list[Reacted] = []
    while begin is not None:
        end = begin + STRETCH
        last = end > now
        looks += _catch_up(services, Position(completed_at=begin), until=None if last else end, most=most)
        begin = None if last else end
    return tuple(looks)


def _catch_up(services: Services, position: Position, *, until: datetime | None, most: int) -> Iterator[Reacted]:
    """Look on and on, from the position to the end of one stretch."""
    place: Position | None = position
    while True:
        reacted = _look(services, place, horizon=_NEVER, until=until, most=most)
        yield reacted
        # Where a look gets nowhere, others are at the same runs.
        if not reacted.more or (reacted.position == place and not reacted.job_ids and not reacted.refused):
            return
        place = reacted.position


def _look(
    services: Services, position: Position | None, *, horizon: datetime, until: datetime | None = None, most: int
) -> Reacted:
    began = services.clock()
    found = subscriptions.unanswered(services.database, after=position, until=until, most=most)
    looked = services.clock()
    reactions = tuple(_answer_all(services, found))
    return Reacted(
        job_ids=tuple(reaction.job_id for reaction in reactions if reaction.job_id is not None),
        refused=sum(reaction.reason is not None for reaction in reactions),
        position=_further(position, found, whole=len(found) < most, horizon=horizon),
        more=len(found) == most,
        looked_for=looked - began,
    )


def _further(
    position: Position | None, found: Sequence[Unanswered], *, whole: bool, horizon: datetime
) -> Position | None:
    """The position after a look: behind it all that was visible has been answered to, and it is behind the horizon."""
    reached = Position(completed_at=horizon)
    if not whole:
        # The last run may have more subscriptions than were looked at; those before it have not.
        before = [run.position for run in found if run.position != found[-1].position]
        if not before:
            return position
        reached = min(before[-1], reached, key=lambda place: place.completed_at)
    if position is None or reached.completed_at > position.completed_at:
        return reached
    # Within one microsecond only a run that was found says that we are further.
    return reached if reached.completed_at == position.completed_at and reached.run_id else position


def _answer_all(services: Services, found: Sequence[Unanswered]) -> Iterator[Reaction]:
    """Answer to all of them, one subscription after the other."""
    ordered = sorted(found, key=lambda run: run.subscription_id)
    chosen: dict[str, tuple[Subscription, list[Answer]]] = {}
    for subscription_id, runs in groupby(ordered, key=lambda run: run.subscription_id):
        try:
            subscription = subscriptions.get(services.database, subscription_id)
        except NotFoundError:
            # Removed since; it wants nothing any more.
            continue
        # What was found for it as it was before a change, it may not ask for any more; the next look will tell.
        asked_for = [run for run in runs if run.subscription_updated_at == subscription.updated_at]
        chosen[subscription_id] = subscription, _answers(services, subscription, asked_for)
    if any(isinstance(answer.outcome, ExportRequest) for _, answers in chosen.values() for answer in answers):
        require_ready(services)
    for subscription, answers in chosen.values():
        for start in range(0, len(answers), _TOGETHER):
            yield from _record(services, subscription, answers[start : start + _TOGETHER])


def _answers(services: Services, subscription: Subscription, runs: Sequence[Unanswered]) -> list[Answer]:
    """What to answer to each run; what is wrong with the subscription itself is the answer to all of them."""
    try:
        terms = check_terms(services, order_of(subscription))
    except RequestError as error:
        return [Answer(run_id=run.run_id, outcome=str(error)) for run in runs]
    return [Answer(run_id=run.run_id, outcome=_outcome(terms, run)) for run in runs]


def _outcome(terms: ExportRequest, run: Unanswered) -> ExportRequest | str:
    if run.definition_deleted_at is not None:
        return (
            f"its definition {run.definition_name!r} was deleted on {run.definition_deleted_at:%Y-%m-%d %H:%M} UTC; "
            f"`export-pipelines export {terms.type} --run-id {run.run_id}` exports the run all the same."
        )
    return replace(terms, subject_id=run.run_id, title=title_of(export_type(terms.type), run.run_name))


def _record(services: Services, subscription: Subscription, answers: Sequence[Answer]) -> tuple[Reaction, ...]:
    """Write the answers; of those that the database refuses, each by itself, with its reason."""
    try:
        return subscriptions.record(services.database, subscription, answers, now=services.clock())
    except ValidationError as error:
        if len(answers) > 1:
            return tuple(one for answer in answers for one in _record(services, subscription, [answer]))
        if isinstance(answers[0].outcome, str):
            raise
        return _record(services, subscription, [replace(answers[0], outcome=str(error))])
