"""Refused links are in the audit log, and nobody can fill it with them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from export_pipelines.db import audit
from export_pipelines.db.database import Database
from export_pipelines.storage import links
from export_pipelines.web import refusals
from export_pipelines.web.refusals import Refusals
from export_pipelines_tests.db.rows import NOW
from export_pipelines_tests.web.site import SECRET, Clock, Site

STRANGER = audit.Actor(address="192.0.2.9")


def refused(database: Database) -> list[audit.AuditEntry]:
    return list(reversed(audit.list_newest(database, action="link_refused", limit=10_000)))


def test_each_reason_is_a_row_of_the_export_that_the_link_names(local_site: Site) -> None:
    export = local_site.publish(hours=1)
    gone = links.mint(SECRET, job_id="cnever", expires_at=NOW + timedelta(days=1))
    local_site.http.get(f"/downloads/{gone}")
    path = local_site.store.local_path(export.job.output_path or "")
    assert path is not None
    path.write_bytes(b"other")
    local_site.http.get(export.path)
    path.unlink()
    local_site.http.head(export.path)
    short = links.mint(SECRET, job_id=export.job.id, expires_at=NOW + timedelta(minutes=1), person=export.job.user_id)
    local_site.clock.go_on(hours=1)
    local_site.http.get(f"/downloads/{short}")
    local_site.http.get(f"{export.path}/manifest")
    found = [(entry.job_id, entry.data["code"], entry.data["status"]) for entry in refused(local_site.database)]
    id_ = export.job.id
    assert found == [
        ("cnever", "job-gone", 404),
        (id_, "file-damaged", 404),
        (id_, "file-gone", 404),
        (id_, "link-expired", 410),
        (id_, "file-expired", 410),
    ]
    assert refused(local_site.database)[3].actor.user_id == export.job.user_id
    assert {entry.actor.address for entry in refused(local_site.database)} == {"127.0.0.1"}


def test_what_is_answered_is_no_refusal(local_site: Site) -> None:
    export = local_site.publish()
    local_site.http.get(export.path)
    local_site.http.get(export.path, headers={"Range": "bytes=99-"})
    local_site.http.get("/nowhere")
    assert refused(local_site.database) == []


def test_a_flood_of_forged_links_is_one_row_a_minute_that_names_no_export(local_site: Site) -> None:
    export = local_site.publish()

    def forge(number: int) -> int:
        foreign = links.mint(b"x" * 32, job_id=export.job.id, expires_at=NOW + timedelta(days=number + 1))
        return local_site.http.get(f"/downloads/{foreign}").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(forge, range(60))) == {403}
    local_site.clock.go_on(seconds=61)
    forge(99)
    first, second = refused(local_site.database)
    assert (first.job_id, dict(first.data)) == (None, {"code": "link-forged", "status": 403, "repeated": 0})
    assert (second.job_id, second.data["repeated"]) == (None, 59)


def test_genuine_links_to_many_exports_cannot_fill_it_either(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MOST_A_MINUTE", 5)
    monkeypatch.setattr(refusals, "_REMEMBERED", 3)
    clock = Clock()
    noted = Refusals(database, clock)
    for number in range(20):
        noted.note(job_id=f"c{number}", code="file-expired", status=410, actor=STRANGER)
    assert len(refused(database)) == 5
    clock.go_on(minutes=1)
    noted.note(job_id="c0", code="file-expired", status=410, actor=STRANGER)
    assert len(refused(database)) == 6
    assert noted.counts() == {"file-expired": 21}


def test_the_answer_does_not_wait_for_a_database_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    database = Database("postgresql://nobody:hunter2@127.0.0.1:9/none")
    Refusals(database, Clock()).note(job_id=None, code="link-forged", status=403, actor=STRANGER)
    assert "refusal not audited reason=The database 127.0.0.1:9/none cannot be used" in caplog.text
    assert "hunter2" not in caplog.text
