"""What requests and answers are made of."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, model_validator
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """A request's body: names in camel case, and none that we do not know."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", str_max_length=10_000, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def take_whole_numbers(cls, values: Any) -> Any:  # noqa: ANN401  # whatever came
        """JSON knows one kind of number: ``24.0`` is the integer 24 in every schema, though not for strict models."""
        if not isinstance(values, dict):
            return values
        return {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in values.items()}


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


MEANINGS = {
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
"""The problems that there are, by status."""

_SHOWN = {
    400: ("malformed", "This is not JSON", "The request's body cannot be read as JSON; correct it."),
    401: ("not-authenticated", "Who is asking?", "Send an API key in force as `Authorization: Bearer ek_...`."),
    403: ("forbidden", "You may not do this", "It is shared with you to read; ask its owner to change it."),
    404: ("not-found", "There is no such thing", "There is no export 'c0mwx' that you may see."),
    408: ("body-too-slow", "The request did not arrive", "The body did not arrive in time; send it again."),
    409: ("conflict", "It cannot be done as things stand", "The export is PROCESSING; wait for its end."),
    410: ("file-gone", "There is no file here any more", "The file is no longer kept; ask for a new export."),
    413: ("body-too-large", "The request is too large", "A body may have up to 1000000 bytes; send less."),
    415: ("unsupported-media-type", "The body is not sent as JSON", "Send `Content-Type: application/json`."),
    422: ("invalid-request", "The request is not valid", "limit: Input should be less than or equal to 100."),
    429: ("too-many-requests", "You have asked too often", "Wait for 36 seconds; the next is taken then."),
    503: ("unavailable", "Not available at the moment", "Nothing is lost. Try again in a minute."),
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer, for ``responses=``; 401 and 503 every route has."""
    return {status: _answered(status) for status in sorted({401, 503, *statuses})}


def _answered(status: int) -> dict[str, Any]:
    code, title, detail = _SHOWN[status]
    example = {
        "type": f"urn:export-pipelines:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    content = {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}, "example": example}
    return {"description": MEANINGS[status], "content": {"application/problem+json": content}}
