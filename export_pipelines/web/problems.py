"""What the service says when it cannot answer: problem details (RFC 9457) for programs, a plain page for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from export_pipelines.web.page.templates import templates


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a request cannot be answered.

    Attributes:
        code: stable, for programs.
        title: the kind of problem, in a few words.
        detail: this case, and what to do next; seen by anybody, so without paths, hosts or tokens.
        more: further members of the document for programs.
    """

    status: int
    code: str
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)


_NOBODY = {"user": None, "csrf": "", "token": "", "notice": "", "place": ""}
"""A problem's page knows nobody: it may be that of a database that is away."""


class ProblemError(Exception):
    """Raised where a request turns out to have no answer; the app turns it into one."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


UNAVAILABLE = Problem(
    status=503,
    code="unavailable",
    title="Not available at the moment",
    detail="The database or the file store does not answer; nothing is lost. Try again in a minute.",
    headers={"Retry-After": "30"},
)
INTERNAL = Problem(
    status=500,
    code="internal",
    title="Something went wrong on our side",
    detail="The reason is in the server's log. Try again, and tell whoever runs this server if it stays.",
)


def answer(request: Request, problem: Problem) -> Response:
    """The problem in the form the client prefers."""
    if _prefers_page(request.headers.get("accept", "")):
        page = templates().answer("problem.html", {"problem": problem, **_NOBODY}, status=problem.status)
        page.headers.update(problem.headers)
        return page
    return Response(
        document(problem),
        status_code=problem.status,
        headers=dict(problem.headers),
        media_type="application/problem+json",
    )


def document(problem: Problem) -> bytes:
    """The problem for programs, as JSON."""
    members = {
        "type": f"urn:export-pipelines:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **problem.more,
    }
    return json.dumps(members, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _prefers_page(accept: str) -> bool:
    """Browsers name text/html first; programs name JSON, or nothing, or anything."""
    for part in accept.split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in ("text/html", "application/json", "application/problem+json"):
            return kind == "text/html"
    return False
