"""Callers: whoever asks for something over HTTP, known by an API key or by a session of the exports page."""

from dataclasses import dataclass

from export_pipelines.core.evaluation import User
from export_pipelines.db import administrators, sessions
from export_pipelines.db.audit import Actor
from export_pipelines.db.evaluation import api_keys
from export_pipelines.steps.services import Services


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks.

    Attributes:
        actor: the same user for the audit, with the address and the program they came by.
    """

    user: User
    is_administrator: bool
    actor: Actor


def by_key(services: Services, key: str, *, secret: bytes, came: Actor) -> Caller | None:
    """The caller whose API key this is; None when it is nobody's, revoked or expired."""
    user = api_keys.authenticate(services.database, key, secret=secret, now=services.clock())
    return None if user is None else _caller(services, user, came)


def by_session(services: Services, token: str, *, secret: bytes, came: Actor) -> Caller | None:
    """The caller whose session this is; None when it is nobody's, or over."""
    user = sessions.authenticate(services.database, token, secret=secret, now=services.clock())
    return None if user is None else _caller(services, user, came)


def _caller(services: Services, user: User, came: Actor) -> Caller:
    return Caller(
        user=user,
        is_administrator=administrators.is_one(services.database, user.id),
        actor=Actor(user_id=user.id, address=came.address, user_agent=came.user_agent),
    )
