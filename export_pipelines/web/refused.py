"""Errors as problems: of API and page each by its kind, with its reason; of links and health only that there is one."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from export_pipelines.core import errors
from export_pipelines.web.access import SAFE_HEADERS
from export_pipelines.web.api.resource import PREFIX
from export_pipelines.web.problems import INTERNAL, UNAVAILABLE, Problem, ProblemError, answer
from export_pipelines.web.sentences import sentence

logger = logging.getLogger(__name__)

_KINDS: Sequence[tuple[type[Exception], int, str, str]] = (
    (errors.NotFoundError, 404, "not-found", "There is no such thing"),
    (errors.ForbiddenError, 403, "forbidden", "You may not do this"),
    (errors.ConflictError, 409, "conflict", "It cannot be done as things stand"),
    (errors.SupersededError, 409, "conflict", "It cannot be done as things stand"),
    (errors.TooManyRequestsError, 429, "too-many-requests", "You have asked too often"),
    (errors.KeyReusedError, 422, "idempotency-key-reused", "The key was another request's"),
    (errors.RequestError, 422, "invalid-request", "The request is not valid"),
)
"""The first that fits decides."""
_MALFORMED = Problem(
    status=400,
    code="malformed",
    title="This is not JSON",
    detail="The request's body cannot be read as JSON; correct it.",
)
_NOT_SENT_AS_JSON = Problem(
    status=415,
    code="unsupported-media-type",
    title="The body is not sent as JSON",
    detail="Send the body as JSON, and say so with the header Content-Type: application/json.",
)
_LISTS = " List what there is, and take one of those."
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "extra_forbidden": "There is no such field here",
        "model_attributes_type": "It must be a JSON object",
        "timezone_aware": "It must say its time zone too, like 2026-03-01T12:00:00Z",
    }
)
"""Where pydantic's own words would not tell a client what to do."""


def add_handlers(app: FastAPI) -> None:
    """Have the application answer errors as problems."""
    app.add_exception_handler(ProblemError, _tell_problem)
    app.add_exception_handler(errors.ExportPipelinesError, _tell_ours)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(HTTPException, _tell_status)
    app.add_exception_handler(Exception, _tell_internal)


async def _tell_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return answer(request, error.problem)


async def _tell_ours(request: Request, error: Exception) -> Response:
    """Ours; when the world is away, or something is broken, the reasons are for the log only."""
    if isinstance(error, errors.UnavailableError):
        logger.warning("unavailable reason=%s", error)
        return answer(request, UNAVAILABLE)
    if request.url.path.startswith(PREFIX) or getattr(request.state, "page", False):
        for kind, status, code, title in _KINDS:
            if isinstance(error, kind):
                detail = sentence(error, instead=_LISTS)
                problem = Problem(status=status, code=code, title=title, detail=detail, headers=_headers(error))
                return answer(request, problem)
    logger.error("request failed", exc_info=error)
    return answer(request, INTERNAL)


async def _tell_invalid(request: Request, error: Exception) -> Response:
    """What pydantic refuses: every field with its reason, never the value, which may be a secret."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return answer(request, _MALFORMED)
    if any(entry["loc"][0] == "body" for entry in found) and not _is_json(request):
        return answer(request, _NOT_SENT_AS_JSON)
    refusals = [{"field": _field(entry), "reason": _reason(entry)} for entry in found]
    first = refusals[0]
    detail = f"{first['field']}: {first['reason']}. Correct the request; nothing was done."
    title = "The request is not valid"
    problem = Problem(status=422, code="invalid-request", title=title, detail=detail, more={"errors": refusals})
    return answer(request, problem)


async def _tell_status(request: Request, error: Exception) -> Response:
    """The framework's own refusals: no such address, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # The one that the framework makes of its own: a body that is not Unicode, or nested without end.
        return answer(request, _MALFORMED)
    title = HTTPStatus(error.status_code).phrase
    headers = dict(error.headers or {})
    if request.url.path.startswith(PREFIX):
        detail = f"There is no {request.method} here; {PREFIX}/openapi.json lists every call."
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = _allowed(request)
    elif request.url.path.startswith("/downloads"):
        detail = "Download links are GET requests to /downloads/ and a long text; copy yours again in full."
    else:
        detail = "There is nothing at this address. Check it, or begin at the exports page."
    code = title.lower().replace(" ", "-")
    return answer(request, Problem(status=error.status_code, code=code, title=title, detail=detail, headers=headers))


async def _tell_internal(request: Request, error: Exception) -> Response:
    # The framework logs the error itself, and answers outside of all middleware.
    response = answer(request, INTERNAL)
    response.headers.update(SAFE_HEADERS)
    return response


def _is_json(request: Request) -> bool:
    """Whether the body says that it is JSON; one that is empty need not say anything."""
    length = request.headers.get("content-length")
    if length == "0" or (length is None and "transfer-encoding" not in request.headers):
        return True
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _allowed(request: Request) -> str:
    """Every method of the address: each has a route of its own, and the framework only looks at the first."""
    paths, path = request.app.openapi()["paths"], request.url.path
    fitting = [path] if path in paths else [each for each in paths if compile_path(each)[0].match(path)]
    return ", ".join(sorted({method.upper() for each in fitting for method in paths[each]}))


def _reason(entry: Mapping[str, Any]) -> str:
    """What is wrong, in our words where we have some; pydantic calls what we raised a value error."""
    said = str(entry["msg"]).removeprefix("Value error, ")
    return _REASONS.get(entry["type"], said[:1].upper() + said[1:])


def _field(entry: Mapping[str, Any]) -> str:
    """``options.profile``, as the client wrote it; ``body`` for all of it."""
    place = [str(part) for part in entry["loc"][1:]]
    return ".".join(place) or str(entry["loc"][0])


def _headers(error: Exception) -> Mapping[str, str]:
    return {"Retry-After": str(error.retry_after)} if isinstance(error, errors.TooManyRequestsError) else {}
