"""Visits: somebody who is logged in looks at a page, or sends one of its forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from export_pipelines.core.errors import RequestError, TooManyRequestsError, UnfinishedRunError
from export_pipelines.steps import callers
from export_pipelines.steps.callers import Caller
from export_pipelines.steps.services import Services
from export_pipelines.web.callers import OLD_FORM, SESSION_COOKIE, came_of, form_token, require_form_token
from export_pipelines.web.context import Web, WebOf
from export_pipelines.web.page.forms import CSRF_FIELD, FormOf
from export_pipelines.web.page.templates import templates
from export_pipelines.web.problems import Problem, ProblemError
from export_pipelines.web.sentences import sentence

FRAGMENT = "X-Fragment"
"""The header by which a script asks for a piece of a page, and is told that it got one."""

NOTICES: Mapping[str, str] = {
    "started": "It is in the queue. You can leave this page; it goes on.",
    "cancelled": "It is cancelled. A worker that was at it stops within seconds.",
    "deleted": "It is deleted.",
    "retried": "It is in the queue again.",
    "shared": "It is shared; a message with the link is on its way.",
    "linked": "It is shared.",
    "revoked": "The share is revoked, and its links have ended.",
    "added": "The schedule is added.",
    "paused": "The schedule is paused.",
    "resumed": "The schedule goes on with its next time.",
    "removed": "The schedule is removed.",
}
"""What a page says after a form was sent, by the word that its address carries."""
_FILLED_IN = ("/exports/new/", "/schedules/new/")
"""Where forms have pages of their own."""
_UNFINISHED = "This run has not finished yet. Wait for it, or tick “Allow partial” to export what is there so far."


class LoginNeededError(Exception):
    """Whoever came is not logged in, or not any more.

    Attributes:
        over: whether there was a session, which has ended.
        next: where to go after the login; a path of ours.
    """

    def __init__(self, *, over: bool, next: str) -> None:  # noqa: A002 - what the address calls it
        super().__init__("login needed")
        self.over = over
        self.next = next


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request of somebody who is logged in.

    Attributes:
        csrf: the form token of the session.
        now: when it came; everything on one page is of one moment.
        notice: the word of :data:`NOTICES` in the address.
    """

    web: Web
    caller: Caller
    csrf: str = field(repr=False)
    now: datetime
    notice: str = ""

    @property
    def services(self) -> Services:
        """What steps talk to."""
        return self.web.services

    def page(self, template: str, *, place: str = "", status: int = 200, **values: object) -> HTMLResponse:
        """The template as this visitor's page; ``place`` is the entry of the navigation that it belongs to."""
        return templates().answer(template, self.context() | {"place": place} | values, status=status)

    def fragment(self, template: str, **values: object) -> HTMLResponse:
        """A piece of a page, for a script."""
        response = templates().answer(template, self.context() | values)
        response.headers[FRAGMENT] = "yes"
        return response

    def context(self) -> dict[str, object]:
        """What every template may use."""
        return {
            "user": self.caller.user,
            "csrf": self.csrf,
            "token": token_field(self.csrf),
            "notice": NOTICES.get(self.notice, ""),
            "now": self.now,
            "place": "",
            "sends_mail": self.services.settings.smtp_url is not None,
        }


def token_field(csrf: str) -> Markup:
    """The hidden field of every form."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf)


def _visit(request: Request, web: WebOf) -> Visit:
    """Who looks.

    Raises:
        LoginNeededError: nobody that we know.
    """
    # Errors of these routes are told with their reasons, to people.
    request.state.page = True
    token = request.cookies.get(SESSION_COOKIE, "")
    caller = callers.by_session(web.services, token, secret=web.secret, came=came_of(request)) if token else None
    if caller is None:
        raise LoginNeededError(over=bool(token), next=_come_back(request))
    notice = request.query_params.get("notice", "")
    return Visit(
        web=web, caller=caller, csrf=form_token(web, token), now=web.services.clock(), notice=notice
    )  # fmt: skip


VisitOf = Annotated[Visit, Depends(_visit)]
"""The type of a route's parameter for pages that are only looked at."""


def _sent_form(request: Request, visit: VisitOf, form: FormOf) -> Visit:
    """The same for forms, which change something and carry the session's token.

    Raises:
        ProblemError: 403, another site had the browser send it.
    """
    token = request.cookies.get(SESSION_COOKIE, "")
    require_form_token(visit.web, token, form.text(CSRF_FIELD), refusal=OLD_FORM)
    return visit


SenderOf = Annotated[Visit, Depends(_sent_form)]
"""The type of a route's parameter for forms."""


def see(path: str, **query: str) -> Response:
    """Send the browser on to a page of ours, after a form was taken."""
    place, hash_, fragment = path.partition("#")
    joined = ("&" if "?" in place else "?") + urlencode(query) if query else ""
    return RedirectResponse(f"{place}{joined}{hash_}{fragment}", status_code=303)


def no_such_export() -> ProblemError:
    """404 for what does not exist, or is not the visitor's to see."""
    detail = "It was deleted, or it is not yours to see. Your own exports are in the history."
    return ProblemError(Problem(status=404, code="not-found", title="There is no such export", detail=detail))


def _come_back(request: Request) -> str:
    """After the login: the same page, an empty form to fill in again, or the history when it was another form."""
    if FRAGMENT.lower() in request.headers:
        return "/"
    if request.method != "GET":
        return request.url.path if request.url.path.startswith(_FILLED_IN) else "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def told(error: RequestError) -> str:
    """Why it could not be done, and what to do on this page; options have other names in requests and commands."""
    return _UNFINISHED if isinstance(error, UnfinishedRunError) else sentence(error)


def dated(response: Response, error: RequestError) -> Response:
    """The answer; for whoever has asked too often, with the time to come back."""
    if isinstance(error, TooManyRequestsError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response
