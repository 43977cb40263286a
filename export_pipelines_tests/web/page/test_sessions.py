"""Logging in and out."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.db import logins
from export_pipelines.steps.services import Services
from export_pipelines.web.callers import SESSION_COOKIE
from export_pipelines.web.page.sessions import own_path
from export_pipelines_tests.web.api_site import ApiSite, api_site
from export_pipelines_tests.web.page.conftest import PASSWORD
from export_pipelines_tests.web.page.visitor import HTML, email_of, visitor, words


@dataclass(frozen=True, kw_only=True)
class Door:
    """Somebody at the login form."""

    http: httpx.Client
    email: str

    def log_in(self, *, email: str = "", password: str = PASSWORD, next_: str = "/") -> httpx.Response:
        form = self.http.get("/login")
        token = form.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        typed = {"email": email or self.email, "password": password, "next": next_}
        return self.http.post("/login", data={"csrf_token": token, **typed})


@pytest.fixture
def door(grace: ApiSite) -> Iterator[Door]:
    with httpx.Client(base_url=grace.url, headers=HTML, timeout=30) as client:
        yield Door(http=client, email=email_of(grace))


def test_a_stranger_is_led_to_the_login_and_back(door: Door) -> None:
    asked = door.http.get("/usage?days=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2Fusage%3Fdays%3D1")
    answer = door.log_in(next_="/usage?days=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/usage?days=1")
    assert door.http.get("/usage?days=1").status_code == 200
    assert door.http.get("/login").headers["location"] == "/"


def test_a_session_begins_with_a_new_token_in_a_cookie_that_scripts_and_other_sites_do_not_get(
    door: Door,
) -> None:
    door.http.cookies.set(SESSION_COOKIE, "chosen by somebody else")
    [cookie] = [value for value in door.log_in().headers.get_list("set-cookie") if value.startswith(SESSION_COOKIE)]
    assert "chosen" not in cookie
    for said in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert said in cookie
    assert "Secure" not in cookie


def test_where_the_service_is_known_by_https_cookies_are_secure(services: Services) -> None:
    with api_site(services, public_url="https://exports.example.org") as site:
        cookie = httpx.get(f"{site.url}/login").headers["set-cookie"]
        assert "Secure" in cookie


def test_a_wrong_password_and_an_unknown_address_are_told_alike(door: Door) -> None:
    told = [words(door.log_in(email=email, password="wrong " * 3)) for email in (door.email, "nobody@example.org")]
    assert told[0] == told[1]
    assert "E-mail address or password are wrong." in told[0]


def test_after_ten_wrong_passwords_even_the_right_one_waits(api: ApiSite, door: Door) -> None:
    for _ in range(logins.MOST_FAILED - 1):
        logins.begin_attempt(api.services.database, email=door.email, address=None, now=api.services.clock())
    assert door.log_in(password="wrong").status_code == 401
    refused = door.log_in()
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert "too many wrong passwords" in words(refused)


def test_a_login_without_its_own_token_is_refused(door: Door) -> None:
    door.http.get("/login")
    for token in ("", "0" * 64):
        answer = door.http.post("/login", data={"csrf_token": token, "email": door.email, "password": PASSWORD})
        assert answer.status_code == 403
        assert "This request did not come from our page" in words(answer)
        assert SESSION_COOKIE not in door.http.cookies


def test_logging_out_ends_the_session_in_the_database(api: ApiSite) -> None:
    grace = visitor(api)
    token = grace.http.cookies[SESSION_COOKIE]
    assert grace.send("/logout").headers["location"] == "/login"
    grace.http.cookies.set(SESSION_COOKIE, token)
    answer = grace.http.get("/")
    assert answer.headers["location"] == "/login?next=%2F&over=yes"
    assert "Your session is over" in words(grace.http.get(answer.headers["location"]))


def test_a_form_without_its_token_changes_nothing(api: ApiSite) -> None:
    owner, job = visitor(api), api.job()
    for fields in ({}, {"csrf_token": "0" * 64}, {"csrf_token": visitor(api).csrf}):
        answer = owner.http.post(f"/exports/{job.id}/cancel", data=fields)
        assert (answer.status_code, "Waiting" in owner.see("/")) == (403, True)


@pytest.mark.parametrize("text", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/\t/evil", ""])
def test_nobody_is_led_to_another_site(text: str) -> None:
    assert own_path(text) == "/"


def test_whoever_sends_another_site_along_is_led_to_the_history(door: Door) -> None:
    assert door.log_in(next_="//evil.example").headers["location"] == "/"


@given(st.text(alphabet=st.sampled_from("/\\:@.ae%\t\n") | st.characters(), max_size=20))
def test_whatever_is_led_to_is_a_path_of_ours(text: str) -> None:
    where = httpx.URL("https://ours.example").join(own_path(text))
    assert where.host == "ours.example"
