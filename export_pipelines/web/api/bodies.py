"""What requests and answers are made of."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """A request's body: names in camel case, and none that we do not know."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", str_max_length=10_000, frozen=True)


class Answer(BaseModel):
    """An answer: names as the database's columns have them."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def shown(moment: datetime) -> str:
    """The time as answers have it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(shown, return_type=str, when_used="json")]
"""A time in an answer: RFC 3339, UTC, milliseconds."""


class Refusal(Answer):
    """One thing that is wrong with a request."""

    field: str
    reason: str


class ProblemAnswer(Answer):
    """Why there is no other answer (RFC 9457); ``code`` is stable, ``detail`` says what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[Refusal] | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:export-pipelines:problem:not-found",
                    "title": "There is no such thing",
                    "status": 404,
                    "detail": "There is no export 'c0mwx' that you may see; GET /api/exports lists yours.",
                    "code": "not-found",
                }
            ]
        }
    )


_MEANINGS = {
    400: "The request is not JSON.",
    401: "No API key or session that is in force.",
    403: "You may see it, but not do this with it; or a change by cookie came without its form token.",
    404: "There is none that you may see.",
    408: "The body did not arrive in time.",
    409: "It does not stand where this could be done.",
    410: "Its time is over.",
    413: "The body is too large.",
    415: "The body is not sent as JSON.",
    422: "A value is missing, malformed or out of its bounds; nothing was done.",
    429: "Too many requests of this kind; `Retry-After` says in how many seconds the next is taken.",
    503: "The database, the store or Dagster is away; nothing is lost.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer, for ``responses=``; 401 and 503 every route has."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
    wanted = sorted({401, 503, *statuses})
    return {status: {"description": _MEANINGS[status], "content": content} for status in wanted}
