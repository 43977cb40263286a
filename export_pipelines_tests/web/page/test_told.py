"""What people are told: by the page, when something cannot be done, and by mail, when a file is ready."""

from collections.abc import Iterator

import httpx
import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs, sessions, shares
from export_pipelines.db.jobs import request_of
from export_pipelines.db.tables import ExportShareRow
from export_pipelines.steps.services import Services
from export_pipelines.web.callers import SESSION_COOKIE
from export_pipelines_tests.web.api_site import RUN, ApiSite, api_site
from export_pipelines_tests.web.page.visitor import Visitor, visitor, words

NEW = "/exports/new/BULK_CSV"
OPTIONS = {"option__profile": "flat", "option__compression": "none"}
ORDER = {"action": "start", "subject": RUN, "expiry_hours": "1", **OPTIONS}
SCHEDULE = {"action": "add", "name": "Nightly", "subject": "@latest", "cron": "30 2 * * *", "timezone": "UTC"}


@pytest.fixture
def owner(api: ApiSite) -> Visitor:
    return visitor(api)


@pytest.fixture
def patient(services: Services) -> Iterator[Visitor]:
    """Somebody who may ask once an hour, and has a schedule."""
    with api_site(services, create_requests_per_hour=1) as site:
        found = visitor(site)
        found.send("/schedules/new/BULK_CSV", **SCHEDULE, expiry_hours="1", **OPTIONS)
        yield found


def test_a_schedule_that_is_run_too_often_is_told_when_to_come_back(patient: Visitor) -> None:
    run = patient.http.get("/schedules").text.partition('action="')[2].partition('action="')[2].partition('"')[0]
    assert run.endswith("/run")
    assert patient.send(run).status_code == 303
    refused = patient.send(run)
    assert (refused.status_code, 0 < int(refused.headers["retry-after"]) <= 3600) == (429, True)
    assert "ask again in 60 minutes." in words(refused)


def test_who_shares_too_often_is_told_when_to_come_back(api: ApiSite, owner: Visitor) -> None:
    job = api.job(JobStatus.COMPLETED)
    given = {"job_id": job.id, "created_by": job.user_id, "expires_at": job.expires_at, "revoked_at": job.completed_at}
    with api.services.database.transaction() as session:
        session.add_all(ExportShareRow(email=f"{n}@example.org", **given) for n in range(shares.MOST_AN_HOUR))
    refused = owner.send(f"/exports/{job.id}/share", email="eve@example.org", days="2", message="Kept.")
    assert (refused.status_code, 0 < int(refused.headers["retry-after"]) <= 3600) == (429, True)
    assert ">Kept.</textarea>" in refused.text


def test_a_run_that_goes_on_is_explained_with_the_words_of_the_form(owner: Visitor) -> None:
    refused = owner.send(NEW, **{**ORDER, "subject": "Orchard, the younger sister (still running)"})
    assert refused.status_code == 422
    assert "Wait for it, or tick “Allow partial”" in words(refused)
    assert "allow_partial=true" not in words(refused)


def test_a_form_of_another_login_says_what_to_do(api: ApiSite, owner: Visitor) -> None:
    job = api.job()
    refused = owner.http.post(f"/exports/{job.id}/cancel", data={"csrf_token": visitor(api).csrf})
    assert refused.status_code == 403
    assert "load the page again and send the form once more" in words(refused)
    assert "X-CSRF-Token" not in words(refused)


def test_a_form_that_is_sent_after_the_session_is_asked_for_again(api: ApiSite, owner: Visitor) -> None:
    sessions.end_all(api.services.database, api.people["owner"])
    led = owner.send(NEW, **ORDER)
    assert (led.status_code, led.headers["location"]) == (303, "/login?next=%2Fexports%2Fnew%2FBULK_CSV&over=sent")
    assert "What you have just sent was not taken" in owner.see(led.headers["location"])
    assert owner.send("/exports/c0/cancel").headers["location"] == "/login?next=%2F&over=sent"


def test_a_login_form_that_was_left_open_leads_on_whoever_is_logged_in_by_now(owner: Visitor) -> None:
    left = {"csrf_token": "of before", "email": "a@example.org", "password": "x", "next": "/usage"}
    answer = owner.http.post("/login", data=left)
    assert (answer.status_code, answer.headers["location"]) == (303, "/usage")
    assert SESSION_COOKIE not in answer.headers.get("set-cookie", "")
    strangers = httpx.post(f"{owner.http.base_url}/login", data=left, headers=dict(owner.http.headers))
    assert strangers.status_code == 403


def test_what_never_had_a_file_does_not_say_that_it_is_gone(api: ApiSite, owner: Visitor) -> None:
    failed, expired = owner.see(f"/exports/{api.job(JobStatus.FAILED).id}"), api.job(JobStatus.EXPIRED)
    assert "There is no file to share." in failed
    assert "No file was made." in failed
    assert "There is no file to share any more." in owner.see(f"/exports/{expired.id}")


def test_an_export_and_a_schedule_are_of_something_that_has_a_name(api: ApiSite, owner: Visitor) -> None:
    job = api.job()
    shown = owner.see(f"/exports/{job.id}")
    assert f"Of run {RUN} {job.input['subject_id']}" in shown
    owner.send("/schedules/new/BULK_CSV", **SCHEDULE, expiry_hours="1", **OPTIONS)
    assert "of the latest run" in owner.see("/schedules")


def test_recipients_are_told_of_an_export(api: ApiSite, owner: Visitor) -> None:
    assert "No mail server is set here yet" in owner.see(NEW)
    started = owner.send(NEW, **ORDER, recipients="ada@example.org, grace@example.org,, ada@example.org")
    assert started.status_code == 303
    [job] = jobs.list_jobs(api.services.database, user_id=api.people["owner"])
    assert request_of(job).delivery == DeliveryRequest(recipients=("ada@example.org", "grace@example.org"))
    page = started.headers["location"]
    assert "Tells ada@example.org, grace@example.org" in owner.see(page)
    api.share(job)
    assert "ada@example.org" not in visitor(api, of="viewer").see(page)


def test_where_mail_is_sent_nobody_is_warned(services: Services) -> None:
    with api_site(services, smtp_url="smtp://mail.example.org", mail_from="exports@example.org") as site:
        for form in (NEW, "/schedules/new/BULK_CSV"):
            shown = visitor(site).see(form)
            assert ("Addresses with commas" in shown, "No mail server" in shown) == (True, False)


@pytest.mark.parametrize(
    ("recipients", "said"),
    [
        ("ada@", "is no e-mail address"),
        ("ada@example.org; grace@example.org", "is no e-mail address"),
        ("webhook:nosuch", "has no webhook &#39;nosuch&#39;"),
        (",".join(f"a{n}@example.org" for n in range(21)), "there are 21 recipients"),
    ],
)
def test_wrong_recipients_are_told_beside_what_was_filled_in(
    api: ApiSite, owner: Visitor, recipients: str, said: str
) -> None:
    for action, status in (("start", 422), ("preview", 200)):
        answer = owner.send(NEW, **{**ORDER, "action": action}, recipients=recipients)
        assert (answer.status_code, said.lower() in answer.text.lower()) == (status, True), answer.text
        assert f'name="recipients" value="{recipients}"' in answer.text
    assert jobs.list_jobs(api.services.database, user_id=api.people["owner"]) == ()
