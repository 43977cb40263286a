"""What the pages show and do, without a script: every link and form works on its own."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs, schedules, usage
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import users
from export_pipelines.db.tables import ExportJobRow
from export_pipelines.steps.services import Services
from export_pipelines.web.app import create_app
from export_pipelines.web.callers import SESSION_COOKIE
from export_pipelines_tests.web.api_site import RUN, ApiSite, api_site
from export_pipelines_tests.web.page.visitor import HTML, Visitor, visitor, words
from export_pipelines_tests.web.site import SECRET, running

NEW = "/exports/new/BULK_CSV"


@pytest.fixture
def owner(api: ApiSite) -> Visitor:
    return visitor(api)


def run_id(owner: Visitor) -> str:
    """The id of the run that the form finds by its name."""
    found = owner.http.get("/choices/run", params={"q": RUN})
    return found.text.partition('name="subject" value="')[2].partition('"')[0]


def shown_ids(visitor: Visitor, **query: str) -> list[str]:
    """Of the exports in the history, as they stand."""
    return re.findall('data-job="(.*?)"', visitor.http.get("/", params=query).text)


def users_email(api: ApiSite, of: str) -> str:
    return users.get(api.services.database, api.people[of]).email


def test_the_history_of_a_newcomer_says_how_to_begin(owner: Visitor) -> None:
    shown = owner.see("/")
    assert "No exports yet" in shown
    assert "No schedules yet" in owner.see("/schedules")
    assert "Nothing counted yet" in owner.see("/usage")


def test_the_history_shows_every_state_and_what_may_be_done(api: ApiSite, owner: Visitor) -> None:
    for status in JobStatus:
        api.job(status)
    shown = owner.see("/")
    for word in ("Waiting", "Running", "Ready", "Failed", "Expired", "Cancelled", "a reason", "Expires in 2"):
        assert word in shown
    for verb in ("Download", "Cancel", "Retry", "Run again"):
        assert verb in shown
    assert "Nothing fits" in owner.see("/", q="no such title")
    only = owner.see("/", status="FAILED")
    assert only.count("Today") == 1
    assert "a reason" in only
    assert "Download" not in only


def test_the_history_goes_on_behind_a_full_page(api: ApiSite, owner: Visitor) -> None:
    for _ in range(27):
        api.job()
    first = owner.http.get("/").text
    assert first.count("data-job=") == 25
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = owner.http.get(older).text
    assert second.count("data-job=") == 2
    assert 'rel="next"' not in second
    # An address that somebody changed gives the newest.
    assert owner.http.get("/?cursor=x&status=NONE&type=NONE").text.count("data-job=") == 25


def test_administrators_see_everybodys_exports_and_whose_they_are(api: ApiSite, owner: Visitor) -> None:
    emails = users.emails_of(api.services.database, api.people.values())
    found = {of: api.job(of=of) for of in ("owner", "other", "administrator")}
    administrator = visitor(api, of="administrator")
    assert shown_ids(administrator) == [found["administrator"].id]
    assert 'href="/?all=yes"' in administrator.http.get("/").text
    assert shown_ids(administrator, all="yes")[:3] == [found[of].id for of in ("administrator", "other", "owner")]
    page = administrator.see("/", all="yes", q=found["owner"].id)
    assert "Everybody’s exports" in page
    assert f"of {emails[api.people['owner']]}" in page
    row = f"/exports/{found['other'].id}/row"
    assert f"of {emails[api.people['other']]}" in administrator.see(row, all="yes")
    assert "@example.org" not in administrator.see(row).replace(emails[api.people["administrator"]], "")


@pytest.mark.parametrize("of", ["owner", "viewer"])
def test_nobody_else_sees_everybodys_exports(api: ApiSite, of: str) -> None:
    job = api.job(of="other")
    shared = api.job(JobStatus.COMPLETED, of="other")
    api.share(shared)
    one = visitor(api, of=of)
    mine = api.job(of=of)
    for query in ({"all": "yes"}, {"all": "yes", "q": job.id}, {"all": "yes", "cursor": "x"}):
        answer = one.http.get("/", params=query)
        assert answer.status_code == 200
        for hidden in (f"job-{job.id}", shared.id, "Everybody’s", "all=yes", users_email(api, "other")):
            assert hidden not in answer.text
    assert shown_ids(one, all="yes") == [mine.id]
    assert one.http.get(f"/exports/{job.id}/row", params={"all": "yes"}).status_code == 404
    row = one.http.get(f"/exports/{mine.id}/row", params={"all": "yes"}).text
    assert users_email(api, of) not in row
    if of == "viewer":
        assert shown_ids(one, all="yes", shared="yes") == [shared.id]
        assert "← Shared with you" in one.see(f"/exports/{shared.id}")


def test_from_everybodys_exports_one_comes_back_to_them(api: ApiSite) -> None:
    administrator = visitor(api, of="administrator")
    lists = {"cancel": JobStatus.PENDING, "retry": JobStatus.FAILED, "delete": JobStatus.COMPLETED}
    for action, status in lists.items():
        job = api.job(status)
        shown = administrator.http.get("/", params={"all": "yes", "q": job.id}).text
        assert 'name="next" value="/?all=yes"' in shown.partition(f"{job.id}/{action}")[2].partition("</form>")[0]
        sent = administrator.send(f"/exports/{job.id}/{action}", next="/?all=yes")
        assert sent.status_code == 303
        assert sent.headers["location"].startswith("/?all=yes&notice=")
        assert shown_ids(administrator, all="yes")
    page = administrator.http.get(f"/exports/{api.job(JobStatus.CANCELLED).id}").text
    assert 'href="/?all=yes">← Everybody’s exports' in page
    assert 'name="next" value="/?all=yes"' in page
    own = administrator.http.get(f"/exports/{api.job(JobStatus.CANCELLED, of='administrator').id}").text
    assert 'href="/">← Your exports' in own
    elsewhere = administrator.send(f"/exports/{api.job().id}/cancel", next="https://example.org/")
    assert elsewhere.headers["location"].startswith("/exports/")


def test_everybodys_exports_are_narrowed_down_and_go_on_behind_a_full_page(api: ApiSite) -> None:
    ids = [api.job(of=of).id for of in ("owner", "other") for _ in range(13)][::-1]
    administrator = visitor(api, of="administrator")
    first = administrator.http.get("/", params={"all": "yes", "type": "BULK_CSV"}).text
    assert '<input type="hidden" name="all" value="yes">' in first
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = administrator.http.get(older).text
    assert (re.findall('data-job="(.*?)"', first) + re.findall('data-job="(.*?)"', second))[:26] == ids
    assert "Everybody’s exports" in second
    for changed in ({"q": "no such title"}, {"cursor": older.partition("cursor=")[2], "q": "no such title"}):
        nothing = administrator.http.get("/", params={"all": "yes", **changed}).text
        assert 'href="/?all=yes">Show all exports' in nothing
    # An address that somebody changed gives the newest, of the same list.
    assert "Everybody’s exports" in administrator.see("/", all="yes", cursor="x", type="NONE")


@pytest.mark.parametrize("options", ["null", "[1]", '"flat"', '{"profile": null}'])
def test_a_row_of_plain_sql_with_odd_options_has_a_page_like_any_other(
    api: ApiSite, owner: Visitor, options: str
) -> None:
    job = api.job(JobStatus.FAILED)
    with api.services.database.raw_connection(autocommit=True) as connection:
        damage = "UPDATE exports.export_jobs SET input = jsonb_build_object('options', %s::jsonb) WHERE id = %s"
        connection.execute(damage.encode(), [options, job.id])
    assert "a reason" in owner.see(f"/exports/{job.id}")
    assert "a reason" in owner.see("/")


def test_a_form_offers_what_the_visitor_may_export(api: ApiSite, owner: Visitor) -> None:
    administrator = visitor(api, of="administrator")
    assert "Audit log" in administrator.see("/exports/new")
    assert "Audit log" not in owner.see("/exports/new")
    assert administrator.http.get("/exports/new/AUDIT_JSONL").status_code == 200
    refused = owner.http.get("/exports/new/AUDIT_JSONL")
    assert (refused.status_code, "There is no such export type" in words(refused)) == (404, True)
    assert owner.send("/exports/new/AUDIT_JSONL", action="start", expiry_hours="1").status_code == 404


def test_a_run_is_searched_for_previewed_and_exported(api: ApiSite, owner: Visitor) -> None:
    found = owner.send(NEW, action="search", q="many languages", title="Kept", option__profile="flat")
    assert 'value="Kept"' in found.text
    assert 'value="flat" checked' in found.text
    assert words(found).count("93 transcripts") == 1
    form = {"subject": run_id(owner), "title": "For Ada", "expiry_hours": "2", "option__profile": "flat"}
    preview = owner.send(NEW, action="preview", option__compression="none", **form)
    for word in ("What to expect", "rows 93", "The first rows", "transcript_id"):
        assert word in words(preview)
    assert jobs.list_jobs(api.services.database, user_id=api.people["owner"]) == ()
    started = owner.send(NEW, action="start", option__compression="gzip", **form)
    [job] = jobs.list_jobs(api.services.database, user_id=api.people["owner"])
    assert (started.status_code, started.headers["location"]) == (303, f"/exports/{job.id}?notice=started")
    assert (job.title, job.input["expiry_hours"]) == ("For Ada", 2)
    assert job.input["options"] == {"allow_partial": False, "compression": "gzip", "profile": "flat", "strict": False}
    page = owner.see(f"/exports/{job.id}", notice="started")
    for word in ("For Ada", "in the queue", "It is in the queue.", "compression: gzip"):
        assert word in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"expiry_hours": "24"}, "No run is chosen yet."),
        ({"subject": "c0nobody", "expiry_hours": "24"}, "There is no run"),
        ({"subject": RUN, "expiry_hours": "169"}, "must be 1 to 168"),
        ({"subject": RUN, "expiry_hours": "soon"}, "takes a whole number from 1 to 168"),
        ({"subject": RUN, "expiry_hours": "1", "option__profile": "x"}, "Option profile is &#39;x&#39;"),
    ],
)
def test_a_wrong_order_is_told_beside_what_was_filled_in(owner: Visitor, fields: dict[str, str], said: str) -> None:
    values = {"option__compression": "none", "option__profile": "flat", "title": "Mine", **fields}
    for action, status in (("start", 422), ("preview", 200)):
        answer = owner.send(NEW, action=action, **values)
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
        assert 'value="Mine"' in answer.text


def test_who_asks_too_often_is_told_when_to_come_back(services: Services) -> None:
    with api_site(services, create_requests_per_hour=2) as site:
        _ask_too_often(visitor(site))


def _ask_too_often(owner: Visitor) -> None:
    form = {"subject": RUN, "expiry_hours": "1", "option__compression": "none", "option__profile": "flat"}
    answers = [owner.send(NEW, action="start", **form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "as many as one user may" in words(answers[-1])


def test_an_export_of_others_is_not_there(api: ApiSite, owner: Visitor) -> None:
    job = api.job(JobStatus.COMPLETED)
    other = visitor(api, of="other")
    for path in ("", "/row", "/download"):
        answer = other.http.get(f"/exports/{job.id}{path}")
        assert (answer.status_code, "There is no such export" in answer.text) == (404, True)
    for what in ("cancel", "retry", "delete", "share", "share/c1/revoke"):
        assert other.send(f"/exports/{job.id}/{what}", email="a@example.org", days="1").status_code == 404
    api.share(job)
    viewer = visitor(api, of="viewer")
    assert RUN in viewer.see("/", shared="yes")
    assert "Nothing is shared with you" in owner.see("/", shared="yes")
    page = viewer.see(f"/exports/{job.id}")
    assert ("Download" in page, "Delete" in page, "E-mail address" in page) == (True, False, False)
    assert "← Shared with you" in page
    assert viewer.http.get(f"/exports/{job.id}/download").status_code == 303
    assert viewer.send(f"/exports/{job.id}/delete").status_code == 403


def test_a_file_is_fetched_shared_taken_back_and_deleted(api: ApiSite, owner: Visitor) -> None:
    job = api.job(JobStatus.COMPLETED)
    file = owner.http.get(f"/exports/{job.id}/download", follow_redirects=True)
    assert len(file.content) == job.output_size_bytes
    # There is no mail server here, so the link is shown.
    shared = owner.send(f"/exports/{job.id}/share", email="eve@example.org", days="2", message="Here it is.")
    link = shared.text.partition('readonly value="')[2].partition('"')[0]
    path = "/downloads/" + link.partition("/downloads/")[2]
    assert owner.http.get(path).content == file.content
    page = owner.http.get(f"/exports/{job.id}")
    assert "eve@example.org" in page.text
    revoke = page.text.partition(f'action="/exports/{job.id}/share/')[2].partition("#")[0]
    assert owner.send(f"/exports/{job.id}/share/{revoke}").headers["location"].endswith("?notice=revoked#share")
    assert owner.http.get(path).status_code == 410
    wrong = owner.send(f"/exports/{job.id}/share", email="eve@", days="2", message="Kept.")
    assert (wrong.status_code, ">Kept.</textarea>" in wrong.text) == (422, True)
    assert owner.send(f"/exports/{job.id}/delete").headers["location"] == "/?notice=deleted"
    assert "No exports yet" in owner.see("/")


def test_an_export_is_cancelled_once_and_run_again(api: ApiSite, owner: Visitor) -> None:
    job = api.job()
    assert owner.send(f"/exports/{job.id}/delete").status_code == 409
    assert owner.send(f"/exports/{job.id}/cancel", next="/").headers["location"] == "/?notice=cancelled"
    again = owner.send(f"/exports/{job.id}/cancel")
    assert (again.status_code, "came to an end by itself" in words(again)) == (409, True)
    made = owner.send(f"/exports/{job.id}/retry")
    assert made.headers["location"].endswith("?notice=retried")
    assert job.id not in made.headers["location"]


def test_an_expired_file_is_explained(api: ApiSite, owner: Visitor) -> None:
    job = api.job(JobStatus.COMPLETED)
    link = owner.http.get(f"/exports/{job.id}/download").headers["location"]
    with api.services.database.transaction() as session:
        # So long ago that it has expired, and the sweep has not come yet.
        row = session.get_one(ExportJobRow, job.id)
        row.completed_at = (row.completed_at or row.created_at) - timedelta(days=2)
        row.expires_at = row.completed_at + timedelta(days=1)
    page = owner.see(f"/exports/{job.id}")
    for word in ("Expired", "Run again", "The file is not kept any more"):
        assert word in page
    assert owner.http.get(f"/exports/{job.id}/download").status_code == 410
    gone = owner.http.get(link)
    assert (gone.status_code, "This file has expired" in words(gone)) == (410, True)


def test_schedules_are_tried_out_added_paused_resumed_run_and_removed(api: ApiSite, owner: Visitor) -> None:
    new = "/schedules/new/BULK_CSV"
    form = {"name": "Nightly", "subject": "@latest", "cron": "30 2 * * *", "timezone": "Europe/Berlin"}
    form |= {"expiry_hours": "24", "option__profile": "flat", "option__compression": "none"}
    tried = words(owner.send(new, action="preview", **form))
    assert tried.count("02:30 (CE") == 10
    wrong = owner.send(new, action="add", **{**form, "timezone": "Europe/Berlim"})
    assert (wrong.status_code, "did you mean Europe/Berlin" in words(wrong)) == (422, True)
    assert owner.send(new, action="add", **form).headers["location"] == "/schedules?notice=added"
    [schedule] = schedules.list_schedules(api.services.database, user_id=api.people["owner"])
    path = f"/schedules/{schedule.id}"
    assert owner.see("/schedules").count("02:30 (CE") == 10
    assert visitor(api, of="other").send(f"{path}/remove").status_code == 404
    owner.send(f"{path}/pause")
    assert "Paused: paused by hand" in owner.see("/schedules")
    owner.send(f"{path}/resume")
    job = jobs.get(api.services.database, owner.send(f"{path}/run").headers["location"].split("/")[2].split("?")[0])
    assert (job.user_id, job.status) == (api.people["owner"], JobStatus.PENDING)
    owner.send(f"{path}/remove")
    assert "No schedules yet" in owner.see("/schedules")


def test_usage_is_drawn_and_written(api: ApiSite, owner: Visitor) -> None:
    api.job(JobStatus.COMPLETED)
    api.job(JobStatus.FAILED)
    usage.refresh(api.services.database, now=api.services.clock())
    page = owner.http.get("/usage").text
    assert ": 1 completed, 1 failed</title>" in page
    assert page.count('class="bar"') == page.count('class="bar failed"') == 1
    assert "Transcripts (CSV)" in page


def test_a_database_that_is_away_is_told_on_a_page(services: Services) -> None:
    away = replace(services, database=Database("postgresql+psycopg://nobody@127.0.0.1:9/none", connect_seconds=1))
    with running(create_app(away, secret=SECRET)) as url, httpx.Client(base_url=url, headers=HTML) as http:
        assert http.get("/login").status_code == 200
        answer = http.get("/", headers={"Cookie": f"{SESSION_COOKIE}=of before"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "nothing is lost" in words(answer)


def test_addresses_that_lead_nowhere_say_so(owner: Visitor) -> None:
    for path in ("/nowhere", "/exports/c0/row", "/exports/new/NONE", "/choices/users", "/static/0/page.js"):
        answer = owner.http.get(path)
        assert (answer.status_code, "To the exports page" in words(answer)) == (404, True)
    assert owner.send("/schedules/c0/pause").status_code == 404
