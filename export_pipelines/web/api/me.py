"""``/api/me``: who the caller is."""

from pydantic import ConfigDict

from export_pipelines.web.api.bodies import Answer, Moment, problems
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf

routes = resource("/me", tag="people")


class Me(Answer):
    """The caller."""

    id: str
    email: str
    name: str
    created_at: Moment
    is_administrator: bool

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "c0mwxrwrp2w7dy0wv1ga46s9k",
                    "email": "ada@example.org",
                    "name": "Ada",
                    "created_at": "2026-01-05T09:00:00.000Z",
                    "is_administrator": False,
                }
            ]
        }
    )


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
