"""The page in a real browser, on a real server; jobs are carried out here, in process, where Dagster would."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from export_pipelines.core.frozen import Segment
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.core.schedules import MissedSlots
from export_pipelines.db import administrators, jobs, sessions, usage
from export_pipelines.db.evaluation import users
from export_pipelines.db.tables import ExportJobRow
from export_pipelines.orchestration.cron import wall_times
from export_pipelines.steps.export import run_export
from export_pipelines.steps.schedules import add
from export_pipelines.steps.submit import Order
from export_pipelines.storage.local import LocalStore
from export_pipelines.storage.store import Proceed, uninterrupted
from export_pipelines_tests.web.api_site import RUN, ApiSite
from export_pipelines_tests.web.page import browsing
from export_pipelines_tests.web.page.browsing import faults, log_in, window
from export_pipelines_tests.web.page.conftest import PASSWORD
from export_pipelines_tests.web.page.visitor import email_of

pytestmark = browsing.needs_chromium
PROGRESS = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const bar = document.querySelector("progress");
    if (bar && window.seen.at(-1) !== bar.value) window.seen.push(bar.value);
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsing.browser() as running:
        yield running


@pytest.fixture
def page(chromium: Browser, grace: ApiSite) -> Iterator[Page]:
    with window(chromium, grace.url) as opened:
        opened.goto("/")
        log_in(opened, email=email_of(grace), password=PASSWORD)
        yield opened


class HeldStore(LocalStore):
    """A store that publishes when it is let."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.go_on = Event()

    def compose(
        self, key: str, segments: Sequence[Segment], *, media_type: str, proceed: Proceed = uninterrupted
    ) -> None:
        assert self.go_on.wait(timeout=60)
        super().compose(key, segments, media_type=media_type, proceed=proceed)


@contextmanager
def carried_out(grace: ApiSite) -> Iterator[tuple[ExportJob, Event]]:
    """The one job, carried out in a thread up to its publishing, and to its end once it may go on."""
    [job] = jobs.list_jobs(grace.services.database, user_id=grace.people["owner"])
    store = HeldStore(grace.services.settings.home / "store")
    worker = Thread(target=run_export, args=(replace(grace.services, store=store), job.id))
    worker.start()
    try:
        yield job, store.go_on
    finally:
        store.go_on.set()
        worker.join(timeout=60)


def test_an_export_is_ordered_watched_to_the_end_fetched_shared_and_revoked(grace: ApiSite, page: Page) -> None:
    page.get_by_role("link", name="Make the first one").click()
    page.get_by_role("link", name="Transcripts (CSV)").click()
    page.get_by_label("Search by name or id").type("many languages, apr")
    expect(page.get_by_role("radio", name=RUN)).to_have_count(1)
    expect(page.get_by_role("list", name="Found").get_by_role("listitem")).to_have_count(1)
    page.get_by_role("radio", name=RUN).check()
    page.get_by_role("radio", name="flat").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("columnheader", name="transcript_id")).to_be_visible()
    assert faults(page) == []
    page.get_by_label("Title").fill("<script>alert(1)</script> & “Ada”")
    page.get_by_role("button", name="Start export").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("<script>alert(1)</script> & “Ada”")
    expect(page.get_by_text("It is in the queue.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("It is in the queue.")).to_be_hidden()

    page.get_by_role("link", name="History").click()
    page.evaluate(PROGRESS)
    with carried_out(grace) as (job, go_on):
        expect(page.locator("[data-doing]")).to_have_text("Publishing", timeout=30_000)
        go_on.set()
        expect(page.locator("[data-word]")).to_have_text("Ready", timeout=30_000)
    seen = page.evaluate("window.seen")
    assert (sorted(seen), seen[-1]) == (seen, 100)
    assert any(0 < percent < 100 for percent in seen)
    expect(page.get_by_role("status")).to_contain_text("Ready")

    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    data = Path(downloading.value.path()).read_bytes()
    done = jobs.get(grace.services.database, job.id)
    assert (len(data), hashlib.sha256(data).hexdigest()) == (done.output_size_bytes, done.checksum)

    page.get_by_label("More about").click()
    page.get_by_role("link", name="Share", exact=True).click()
    page.get_by_label("E-mail address").fill("eve@example.org")
    page.get_by_role("button", name="Share", exact=True).click()
    link = page.get_by_label("It is shared.").input_value()
    assert faults(page) == []
    page.get_by_role("button", name="Revoke the share with eve@example.org").click()
    expect(page.get_by_text("revoked just now")).to_be_visible()
    page.goto("/downloads/" + link.partition("/downloads/")[2])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert faults(page) == []


def test_an_export_is_cancelled_with_the_keyboard_alone(grace: ApiSite, page: Page) -> None:
    job = grace.job()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(8):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Details")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Details")).to_be_hidden()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is cancelled.")).to_be_visible()
    assert jobs.get(grace.services.database, job.id).status is JobStatus.CANCELLED


def test_an_administrator_looks_after_everybodys_exports_with_the_keyboard(grace: ApiSite, page: Page) -> None:
    database = grace.services.database
    expect(page.get_by_role("link", name="Everybody’s exports")).to_have_count(0)
    administrators.appoint(database, grace.people["owner"], now=grace.services.clock())
    waits, fails = grace.job(of="other"), grace.job(JobStatus.PROCESSING, of="other")
    email = users.get(database, grace.people["other"]).email
    page.goto("/")
    page.get_by_role("link", name="Everybody’s exports").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Everybody’s exports")
    assert faults(page) == []
    row = page.locator(f"#job-{fails.id}")
    expect(row).to_contain_text(f"of {email}")
    jobs.fail(database, job_id=fails.id, attempt=1, error="a reason", now=grace.services.clock())
    expect(row.get_by_role("button", name=re.compile(f"Retry: .*, of {email}"))).to_be_visible(timeout=30_000)
    expect(row).to_contain_text(f"of {email}")
    expect(page.locator("[data-announce]")).to_contain_text(f"of {email}: Failed")
    page.get_by_label("Title or id").fill(waits.id)
    page.get_by_label("Title or id").press("Enter")
    page.get_by_role("button", name=re.compile(f"Cancel .*, of {email}")).press("Enter")
    expect(page.get_by_text("It is cancelled.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everybody’s exports")
    assert jobs.get(database, waits.id).status is JobStatus.CANCELLED
    page.get_by_role("link", name="Your own exports").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your exports")
    expect(page.get_by_text("No exports yet")).to_be_visible()


def test_what_goes_wrong_is_told_where_it_happens(grace: ApiSite, chromium: Browser) -> None:
    with window(chromium, grace.url) as page:
        page.goto("/usage")
        log_in(page, email=email_of(grace), password="not the password")
        expect(page.get_by_role("alert")).to_contain_text("E-mail address or password are wrong.")
        assert faults(page) == []
        log_in(page, email=email_of(grace), password=PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text("Your usage")
        forged = "fetch('/schedules/new/BULK_CSV', {method: 'POST', body: new URLSearchParams({name: 'x'})})"
        assert page.evaluate(f"() => {forged}.then((answer) => answer.status)") == 403
        job = grace.job(JobStatus.COMPLETED)
        page.goto(f"/exports/{job.id}")
        link = page.request.get(f"/exports/{job.id}/download", max_redirects=0).headers["location"]
        jobs.expire(grace.services.database, job.id, now=job.expires_at or grace.services.clock())
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_have_text("This file has expired")
        assert faults(page) == []
        sessions.end_all(grace.services.database, grace.people["owner"])
        page.get_by_role("link", name="To the exports page").click()
        expect(page.get_by_role("status")).to_contain_text("Your session is over.")


@pytest.mark.parametrize("looks", [{}, {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}])
def test_every_page_is_for_everybody(grace: ApiSite, chromium: Browser, looks: dict[str, object]) -> None:
    database, now = grace.services.database, grace.services.clock()
    administrators.appoint(database, grace.people["owner"], now=now)
    found = {status: grace.job(status) for status in JobStatus}
    usage.refresh(database, now=now)
    with window(chromium, grace.url, **looks) as page:
        page.goto("/login")
        assert faults(page) == []
        log_in(page, email=email_of(grace), password=PASSWORD)
        forms = [f"/exports/new/{name}" for name in ("RUN_BUNDLE", "DEFINITION_MD", "BULK_DAY_JSONL", "AUDIT_JSONL")]
        details = [f"/exports/{job.id}" for job in found.values()]
        others = [
            "/",
            "/?q=nothing",
            "/?all=yes",
            "/?all=yes&q=nothing",
            "/exports/new",
            "/usage",
            "/schedules",
            "/schedules/new",
            "/nowhere",
        ]
        for path in (*others, *forms, *details, "/schedules/new/BULK_CSV"):
            page.goto(path)
            assert (path, faults(page)) == (path, [])


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_that_is_long_leaves_the_window(grace: ApiSite, chromium: Browser, width: int) -> None:
    database, now = grace.services.database, grace.services.clock()
    unbroken = "Donaudampfschifffahrtsgesellschaftskapitän" * 4
    failed, ready = grace.job(JobStatus.PROCESSING), grace.job(JobStatus.COMPLETED)
    jobs.fail(database, job_id=failed.id, attempt=1, error=f"No {unbroken}.", now=now)
    with database.transaction() as session:
        for job in (failed, ready):
            session.get_one(ExportJobRow, job.id).title = unbroken
    order = Order(type="BULK_CSV", user=grace.people["owner"], run_id="@latest")
    times = {"cron_pattern": "1,2,3,4,5 1-5 * * 1-5", "timezone": "America/Argentina/ComodRivadavia"}
    add(grace.services, wall_times, order, name=unbroken[:63], missed_slots=MissedSlots.SKIP, **times)
    with window(chromium, grace.url, viewport={"width": width, "height": 740}) as page:
        page.goto("/login")
        log_in(page, email=email_of(grace), password=PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text("Your exports")
        for path in ("/", f"/exports/{failed.id}", f"/exports/{ready.id}", "/schedules"):
            page.goto(path)
            assert (path, faults(page)) == (path, [])
            for menu in page.locator("details.menu").all():
                menu.locator("summary").click()
                box = menu.locator("> div").bounding_box()
                assert box is not None
                assert 0 <= box["x"] < box["x"] + box["width"] <= width, path
                page.keyboard.press("Escape")
