"""Logging in and out."""

import secrets

from fastapi import APIRouter, Request
from fastapi.responses import Response

from export_pipelines.core.errors import TooManyRequestsError
from export_pipelines.core.evaluation import User
from export_pipelines.db import logins, sessions
from export_pipelines.db.evaluation import users
from export_pipelines.web.callers import OLD_FORM, SESSION_COOKIE, form_token, require_form_token
from export_pipelines.web.context import Web, WebOf
from export_pipelines.web.page.forms import CSRF_FIELD, Form, FormOf
from export_pipelines.web.page.templates import templates
from export_pipelines.web.page.visits import SenderOf, see, token_field
from export_pipelines.web.problems import ProblemError

LOGIN_COOKIE = "export_login"
"""Names the login form's own token while there is no session yet, so that no other site can log somebody in."""

OVER = "Your session is over. Log in again; exports under way go on."
_NOTICES = {"yes": OVER, "sent": f"{OVER} What you have just sent was not taken; send it once more."}
"""By what the address says of the session that there was."""
_WRONG = "E-mail address or password are wrong. Capitals count in the password."
_LONGEST = 1000

routes = APIRouter(include_in_schema=False)


@routes.get("/login")
def ask(request: Request, web: WebOf, next: str = "/", over: str = "") -> Response:  # noqa: A002 - the address's name
    """The login form; whoever is logged in goes on at once."""
    token = request.cookies.get(SESSION_COOKIE, "")
    if token and _user_of(web, token) is not None:
        return see(own_path(next))
    return _form(request, web, next=own_path(next), notice=_NOTICES.get(over, ""))


@routes.post("/login")
def log_in(request: Request, web: WebOf, form: FormOf) -> Response:
    """Begin a session, with a new token, when the password is right."""
    request.state.page = True
    came_from = own_path(form.text("next", "/"))
    try:
        require_form_token(web, request.cookies.get(LOGIN_COOKIE, ""), form.text(CSRF_FIELD), refusal=OLD_FORM)
    except ProblemError:
        # Left open since they logged in by another window: there they are, as themselves.
        if _user_of(web, request.cookies.get(SESSION_COOKIE, "")) is None:
            raise
        return see(came_from)
    try:
        user = _verified(request, web, form)
    except TooManyRequestsError as error:
        response = _form(request, web, next=came_from, email=form.text("email"), error=str(error), status=429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    if user is None:
        return _form(request, web, next=came_from, email=form.text("email"), error=_WRONG, status=401)
    hours = web.services.settings.session_hours
    token = sessions.begin(
        web.services.database, user_id=user.id, secret=web.secret, now=web.services.clock(), hours=hours
    )
    response = see(came_from)
    _keep(request, web, response, SESSION_COOKIE, token, seconds=hours * 3600)
    response.delete_cookie(LOGIN_COOKIE)
    return response


@routes.post("/logout")
def log_out(request: Request, visit: SenderOf) -> Response:
    """End the session, here and in the database."""
    sessions.end(visit.services.database, request.cookies.get(SESSION_COOKIE, ""), secret=visit.web.secret)
    response = see("/login")
    response.delete_cookie(SESSION_COOKIE)
    return response


def own_path(text: str) -> str:
    r"""The path, provided that it is one of ours: a browser takes ``//host`` and ``/\host`` for another server's."""
    is_path = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and text.isascii()
    return text if is_path and "\\" not in text and len(text) < _LONGEST else "/"


def _verified(request: Request, web: Web, form: Form) -> User | None:
    database, email = web.services.database, form.text("email")
    address = request.client.host if request.client else None
    attempt = logins.begin_attempt(database, email=email, address=address, now=web.services.clock())
    # As it was typed, blanks and all; nobody's is longer, and hashing takes time with length.
    password = form.fields.get("password", "")[:_LONGEST]
    user = users.verify(database, email=email, password=password)
    if user is not None:
        logins.take_back(database, attempt)
    return user


def _user_of(web: Web, token: str) -> User | None:
    return sessions.authenticate(web.services.database, token, secret=web.secret, now=web.services.clock())


def _form(request: Request, web: Web, *, status: int = 200, **values: str) -> Response:
    given = request.cookies.get(LOGIN_COOKIE, "")
    token = given or secrets.token_urlsafe(32)
    context = {"email": "", "error": "", "notice": "", "user": None, "csrf": "", **values}
    context["token"] = token_field(form_token(web, token))
    response = templates().answer("login.html", context, status=status)
    if not given:
        _keep(request, web, response, LOGIN_COOKIE, token, seconds=None)
    return response


def _keep(request: Request, web: Web, response: Response, name: str, value: str, *, seconds: int | None) -> None:
    secure = request.url.scheme == "https" or web.services.settings.public_url.startswith("https:")
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)
