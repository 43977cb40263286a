"""Somebody who looks at the page without a script: follows links, sends forms with their tokens, reads the answer."""

import re
from dataclasses import dataclass
from html import unescape

import httpx

from export_pipelines.db import sessions
from export_pipelines.db.evaluation import users
from export_pipelines.web.callers import SESSION_COOKIE, form_token
from export_pipelines.web.context import Web
from export_pipelines_tests.web.api_site import ApiSite
from export_pipelines_tests.web.site import SECRET

HTML = {"Accept": "text/html,application/xhtml+xml"}


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """One logged in person."""

    http: httpx.Client
    csrf: str

    def see(self, path: str, **query: str) -> str:
        """The words of a page that must be there."""
        answer = self.http.get(path, params=query or None)
        assert answer.status_code == 200, answer.text
        return words(answer)

    def send(self, path: str, **fields: str) -> httpx.Response:
        """A form, with its token; names with a dot are written with two underscores."""
        data = {name.replace("__", "."): value for name, value in fields.items()}
        return self.http.post(path, data={"csrf_token": self.csrf, **data})


def visitor(site: ApiSite, *, of: str = "owner") -> Visitor:
    """That person, with a session of their own."""
    now = site.services.clock()
    token = sessions.begin(site.services.database, user_id=site.people[of], secret=SECRET, now=now, hours=12)
    http = httpx.Client(base_url=site.url, cookies={SESSION_COOKIE: token}, headers=HTML, timeout=30)
    return Visitor(http=http, csrf=form_token(Web(services=site.services, secret=SECRET), token))


def email_of(site: ApiSite) -> str:
    """What the owner logs in with."""
    return users.get(site.services.database, site.people["owner"]).email


def words(answer: httpx.Response) -> str:
    """What stands on the page, without its marks."""
    text = re.sub(r"<(script|title).*?</\1>|<[^>]*>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(text).split())
