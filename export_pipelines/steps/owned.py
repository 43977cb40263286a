"""What is somebody's own besides jobs: schedules, subscriptions, deliveries; for them and administrators alone."""

from collections.abc import Callable
from typing import NoReturn, TypeVar

from export_pipelines.core.deliveries import Delivery
from export_pipelines.core.errors import ForbiddenError, NotFoundError, ValidationError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.core.schedules import Schedule
from export_pipelines.core.subscriptions import Subscription
from export_pipelines.db import deliveries, jobs, schedules, subscriptions
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import lookup
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.services import Services

Found = TypeVar("Found")


def schedule(services: Services, caller: Caller, schedule_id: str) -> Schedule:
    """The schedule of this whole id.

    Raises:
        NotFoundError: there is none, or none of the caller's.
    """
    found = _get(services, schedules.get, schedule_id, noun="schedule")
    return found if _is_theirs(caller, found.user_id) else _unknown("schedule", schedule_id)


def subscription(services: Services, caller: Caller, subscription_id: str) -> Subscription:
    """The subscription of this whole id.

    Raises:
        NotFoundError: there is none, or none of the caller's.
    """
    found = _get(services, subscriptions.get, subscription_id, noun="subscription")
    return found if _is_theirs(caller, found.user_id) else _unknown("subscription", subscription_id)


def delivery(services: Services, caller: Caller, delivery_id: str) -> Delivery:
    """The delivery of this whole id, of a job of the caller's.

    Raises:
        NotFoundError: there is none, or none of the caller's.
    """
    found = _get(services, deliveries.get, delivery_id, noun="delivery")
    job = jobs.get(services.database, found.job_id)
    return found if _is_theirs(caller, job.user_id) else _unknown("delivery", delivery_id)


def whose(services: Services, caller: Caller, *, user: str | None, everybody: bool = False) -> str | None:
    """Id of the user whose things are asked for: the caller's own when nobody is named; None for everybody's.

    Args:
        services: collaborators.
        caller: who asks.
        user: e-mail address or id.
        everybody: instead.

    Raises:
        ValidationError: both were asked for.
        ForbiddenError: what is other people's is for administrators.
        NotFoundError: there is no such user.
    """
    if user is not None and everybody:
        raise ValidationError("user and all exclude each other; give one of them.")
    if user is None and not everybody:
        return caller.user.id
    if user is not None and user in (caller.user.id, caller.user.email):
        return caller.user.id
    if not caller.is_administrator:
        raise ForbiddenError("what is other people's is for administrators; leave user and all out.")
    return None if user is None else lookup.find_user(services.database, user).id


def _get(services: Services, get: Callable[[Database, str], Found], id_: str, *, noun: str) -> Found:
    if not looks_like_id(id_):
        _unknown(noun, id_)
    try:
        return get(services.database, id_)
    except NotFoundError:
        _unknown(noun, id_)


def _is_theirs(caller: Caller, user_id: str) -> bool:
    return caller.is_administrator or user_id == caller.user.id


def _unknown(noun: str, id_: str) -> NoReturn:
    listed = {"delivery": "deliveries"}.get(noun, f"{noun}s")
    raise NotFoundError(f"There is no {noun} {id_[:80]!r} that you may see; GET /api/{listed} lists yours.")
