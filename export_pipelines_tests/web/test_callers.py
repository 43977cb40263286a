"""Who may call: keys, sessions, and form tokens."""

from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

from export_pipelines.db import sessions
from export_pipelines.db.evaluation import api_keys, users
from export_pipelines.web.callers import CSRF_HEADER, SESSION_COOKIE
from export_pipelines_tests.web.api_site import ApiSite, new_key
from export_pipelines_tests.web.site import SECRET

ME = "/api/me"


def by(api: ApiSite, credentials: str) -> httpx.Response:
    return httpx.get(api.url + ME, headers={"Authorization": credentials})


def test_a_key_says_whose_it_is(api: ApiSite) -> None:
    told = {name: client.get(ME).json() for name, client in api.clients.items() if name != "nobody"}
    assert {name: who["id"] for name, who in told.items()} == dict(api.people)
    assert [name for name, who in told.items() if who["is_administrator"]] == ["administrator"]
    assert told["owner"]["created_at"].endswith("Z")


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        "Bearer",
        "Bearer ek_",
        "Bearer ek_" + "x" * 43,
        "Basic b3duZXI6cGFzc3dvcmQ=",
        "Bearer \xff",
        "ek_1",
    ],
)
def test_anything_else_is_nobody(api: ApiSite, credentials: str) -> None:
    answer = httpx.get(api.url + ME, headers={"Authorization": credentials.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-authenticated"
    assert "ek_x" not in answer.text


def test_a_scheme_with_a_blank_and_no_key_is_nobody(api: ApiSite) -> None:
    # httpx refuses to send it; a client that is less careful does not.
    connection = HTTPConnection(urlsplit(api.url).netloc, timeout=30)
    connection.request("GET", ME, headers={"Authorization": "Bearer "})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("WWW-Authenticate")) == (401, "Bearer")
    connection.close()


def test_a_key_ends_by_itself_and_when_it_is_revoked(api: ApiSite) -> None:
    now = api.services.clock()
    over = new_key(api.services, api.people["owner"], expires_at=now + timedelta(milliseconds=300))
    assert by(api, f"Bearer {over}").status_code in (200, 401)
    [ends] = [k for k in api_keys.list_for_user(api.services.database, api.people["owner"]) if k.expires_at]
    while api.services.clock() < (ends.expires_at or now):
        continue
    assert by(api, f"Bearer {over}").status_code == 401
    key = new_key(api.services, api.people["owner"])
    assert by(api, f"Bearer {key}").status_code == 200
    newest, *_ = api_keys.list_for_user(api.services.database, api.people["owner"])
    assert newest.last_used_at is not None
    api_keys.revoke(api.services.database, newest.id, now=api.services.clock())
    assert by(api, f"Bearer {key}").status_code == 401


def test_use_of_a_key_is_noted_once_a_minute(api: ApiSite) -> None:
    def used() -> object:
        return api_keys.list_for_user(api.services.database, api.people["owner"])[0].last_used_at

    api.owner.get(ME)
    first = used()
    api.owner.get(ME)
    assert used() == first is not None


def test_a_session_counts_until_it_is_ended(api: ApiSite) -> None:
    with api.session() as client:
        assert client.get(ME).json()["id"] == api.people["owner"]
        sessions.end(api.services.database, client.cookies[SESSION_COOKIE], secret=SECRET)
        assert client.get(ME).status_code == 401


def test_a_session_is_over_at_its_time_and_gone_with_its_user(api: ApiSite) -> None:
    database, now = api.services.database, api.services.clock()
    token = sessions.begin(database, user_id=api.people["other"], secret=SECRET, now=now, hours=1)
    seen = [
        sessions.authenticate(database, token, secret=secret, now=now + after)
        for secret, after in (
            (SECRET, timedelta(minutes=59)),
            (SECRET, timedelta(hours=1)),
            (b"another secret", timedelta()),
        )
    ]
    assert [user and user.id for user in seen] == [api.people["other"], None, None]
    users.delete(database, api.people["other"])
    assert sessions.authenticate(database, token, secret=SECRET, now=now) is None


def test_a_wrong_key_is_not_made_good_by_a_session(api: ApiSite) -> None:
    with api.session() as client:
        assert client.get(ME, headers={"Authorization": "Bearer ek_wrong"}).status_code == 401
        assert client.get(ME, headers={"Authorization": "Basic eDp5"}).status_code == 401


def test_a_session_has_a_form_token_of_its_own(api: ApiSite) -> None:
    with api.session("owner") as one, api.session("owner") as another:
        assert one.headers[CSRF_HEADER] != another.headers[CSRF_HEADER]
