"""Who calls: an API key in the header ``Authorization``, or the session that the page's cookie names.

A request by cookie that changes something also needs the session's form token: another site can have a browser send
the cookie, but cannot read the token.
"""

import hmac
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from export_pipelines.db import sessions
from export_pipelines.db.audit import Actor
from export_pipelines.db.evaluation import api_keys
from export_pipelines.steps import callers
from export_pipelines.steps.callers import Caller
from export_pipelines.web.context import Web, WebOf
from export_pipelines.web.problems import Problem, ProblemError

SESSION_COOKIE = "export_session"
CSRF_HEADER = "X-CSRF-Token"
USER_AGENT_CHARACTERS = 300
"""What the audit keeps of what a client calls itself."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PURPOSE = b"export-pipelines form token\0"
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="An API key, `ek_...`, as `export-pipelines keys create` prints it once.",
)
_COOKIE = APIKeyCookie(
    name=SESSION_COOKIE,
    auto_error=False,
    scheme_name="Session",
    description=f"A session of the exports page; calls that change something also need the header `{CSRF_HEADER}`.",
)

NOT_AUTHENTICATED = Problem(
    status=401,
    code="not-authenticated",
    title="Who is asking?",
    detail="Send an API key in force as `Authorization: Bearer ek_...`; `export-pipelines keys create` makes one.",
    headers={"WWW-Authenticate": "Bearer"},
)
NO_FORM_TOKEN = Problem(
    status=403,
    code="no-form-token",
    title="This request did not come from our page",
    detail=f"A request by cookie that changes something needs its form token in {CSRF_HEADER}; load the page again.",
)
OLD_FORM = replace(
    NO_FORM_TOKEN,
    detail="This form is of another login, or your browser keeps no cookies of this site. Go back, load the page again "
    "and send the form once more; nothing was done.",
)
"""The same for people, whose own browser may send a form that was left open since they logged in elsewhere."""


def caller(
    request: Request,
    web: WebOf,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    token: Annotated[str | None, Depends(_COOKIE)],
) -> Caller:
    """Who calls.

    Raises:
        ProblemError: 401 for nobody we know, 403 for a change by cookie without its form token.
    """
    found: Caller | None = None
    if bearer is not None:
        found = callers.by_key(web.services, bearer.credentials, secret=web.secret, came=came_of(request))
    elif token and "authorization" not in request.headers:
        found = callers.by_session(web.services, token, secret=web.secret, came=came_of(request))
    if found is None:
        raise ProblemError(NOT_AUTHENTICATED)
    if bearer is None and request.method not in _SAFE_METHODS:
        require_form_token(web, token or "", request.headers.get(CSRF_HEADER, ""))
    return found


CallerOf = Annotated[Caller, Depends(caller)]
"""The type of a route's parameter that is given who calls; the route then answers nobody else."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What is stored of the key or session that a request came with; at most one of the two."""

    key_hash: str | None = field(default=None, repr=False)
    session_hash: str | None = field(default=None, repr=False)


async def _credentials(request: Request) -> Credentials:
    """Read by hand, as :func:`caller` has them read: each parameter of a route costs a tenth of a quick answer."""
    web: Web = request.app.state.web
    authorization = request.headers.get("authorization")
    scheme, key = get_authorization_scheme_param(authorization)
    if scheme.lower() == "bearer" and key:
        return Credentials(key_hash=api_keys.hash_of(key, web.secret))
    token = request.cookies.get(SESSION_COOKIE) if authorization is None else None
    if token:
        return Credentials(session_hash=sessions.hash_of(token, web.secret))
    raise ProblemError(NOT_AUTHENTICATED)


CredentialsOf = Annotated[Credentials, Depends(_credentials)]
"""For routes that only read, and look up whose the credentials are together with what they read."""
TAKES_CREDENTIALS: dict[str, Any] = {"security": [{_BEARER.scheme_name: []}, {_COOKIE.scheme_name: []}]}
"""What such a route says of itself, for ``openapi_extra=``."""


def form_token(web: Web, session_token: str) -> str:
    """What the page's own forms and scripts send along to change something in this session."""
    return hmac.digest(web.secret, _PURPOSE + session_token.encode("utf-8", "surrogatepass"), "sha256").hex()


def require_form_token(web: Web, session_token: str, given: str, *, refusal: Problem = NO_FORM_TOKEN) -> None:
    """Refuse what another site's page had a browser send.

    Raises:
        ProblemError: 403, it is not this session's form token; the refusal says what to do.
    """
    right = form_token(web, session_token).encode()
    if not hmac.compare_digest(right, given.encode("utf-8", "replace")):
        raise ProblemError(refusal)


def came_of(request: Request) -> Actor:
    """The address and program a request came from, before it is known whose it is."""
    return Actor(
        address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent", "")[:USER_AGENT_CHARACTERS] or None,
    )
