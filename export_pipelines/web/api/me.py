"""``/api/me``: who the caller is."""

from fastapi import APIRouter

from export_pipelines.web.api.bodies import Answer, Moment, problems
from export_pipelines.web.callers import CallerOf

routes = APIRouter(prefix="/me", tags=["people"])


class Me(Answer):
    """The caller."""

    id: str
    email: str
    name: str
    created_at: Moment
    is_administrator: bool


@routes.get("", summary="Who am I?", responses=problems())
def who(caller: CallerOf) -> Me:
    """The user whose key or session the request came with."""
    user = caller.user
    return Me(
        id=user.id,
        email=user.email,
        name=user.name,
        created_at=user.created_at,
        is_administrator=caller.is_administrator,
    )
