"""Fetching a file by its link, from a real server."""

import base64
import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from export_pipelines.db import audit, jobs
from export_pipelines.db.database import Database
from export_pipelines.storage import links
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.db.rows import NOW, add_processing
from export_pipelines_tests.web.site import MANIFEST, SECRET, Export, Site, site

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def ranged(site: Site, export: Export, value: str, **headers: str) -> httpx.Response:
    return site.http.get(export.path, headers={"Range": value, **headers})


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:export-pipelines:problem:{document['code']}"
    assert document["title"]
    assert document["detail"].endswith(".")
    return document["status"], document["code"]


def test_a_link_gives_the_file_with_everything_to_check_it(local_site: Site) -> None:
    export = local_site.publish(os.urandom(1_000_000), name="run 7 «é».csv")
    answer = local_site.http.get(export.path)
    assert (answer.status_code, answer.content) == (200, export.data)
    digest = hashlib.sha256(export.data)
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer.headers["content-length"] == "1000000"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename=\"run 7 ___.csv\"; filename*=UTF-8''")
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    parsedate_to_datetime(answer.headers["last-modified"])


def test_a_download_is_counted_and_audited_with_who_came_for_it(local_site: Site) -> None:
    export = local_site.publish()
    token = local_site.token(export.job, person=export.job.user_id)
    local_site.http.get(f"/downloads/{token}", headers={"User-Agent": b"A reader/1.0 \xe9 " + b"x" * 1000})
    entry = audit.list_for_job(local_site.database, export.job.id)[-1]
    assert (entry.action, entry.at) == ("downloaded", local_site.clock.now)
    assert (entry.actor.address, entry.actor.user_id) == ("127.0.0.1", export.job.user_id)
    assert entry.actor.user_agent is not None
    assert entry.actor.user_agent.startswith("A reader/1.0 é")
    assert len(entry.actor.user_agent) == 500
    assert local_site.count(export) == 1


def test_head_and_continuations_are_not_downloads_of_their_own(local_site: Site) -> None:
    export = local_site.publish()
    local_site.http.head(export.path)
    assert local_site.count(export) == 0
    local_site.http.get(export.path)
    assert local_site.count(export) == 1
    for value in ("bytes=5-", "bytes=9-9", "bytes=-3", "bytes=99-"):
        ranged(local_site, export, value)
    assert local_site.count(export) == 1
    ranged(local_site, export, "bytes=0-4")
    assert local_site.count(export) == 2


def test_whoever_begins_in_the_middle_is_counted_the_first_time(local_site: Site) -> None:
    export = local_site.publish()
    ranged(local_site, export, "bytes=1-")
    ranged(local_site, export, "bytes=2-")
    assert local_site.count(export) == 1


def test_head_tells_everything_but_the_bytes(local_site: Site) -> None:
    export = local_site.publish(b"x" * 1000)
    got, head = local_site.http.get(export.path), local_site.http.head(export.path, headers={"Range": "bytes=5-"})
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


@pytest.mark.parametrize(
    ("value", "start", "end"), [("bytes=0-", 0, 10), ("bytes=2-4", 2, 5), ("bytes=7-", 7, 10), ("bytes=-4", 6, 10)]
)
def test_a_range_is_answered_as_such(local_site: Site, value: str, start: int, end: int) -> None:
    export = local_site.publish()
    answer = ranged(local_site, export, value)
    assert (answer.status_code, answer.content) == (206, export.data[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/10"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.headers["etag"] == f'"{export.job.checksum}"'


@pytest.mark.parametrize("value", ["bytes=0-1,4-5", "lines=1-2", "bytes=x"])
def test_what_is_no_single_range_gets_the_whole(local_site: Site, value: str) -> None:
    export = local_site.publish()
    answer = ranged(local_site, export, value)
    assert (answer.status_code, answer.content) == (200, export.data)
    assert "content-range" not in answer.headers


def test_a_range_beyond_the_end_is_refused_with_the_size(local_site: Site) -> None:
    export = local_site.publish()
    answer = ranged(local_site, export, "bytes=10-")
    assert problem(answer) == (416, "no-such-range")
    assert answer.headers["content-range"] == "bytes */10"


def test_a_range_of_another_version_gets_the_whole(local_site: Site) -> None:
    export = local_site.publish()
    same = local_site.http.head(export.path).headers
    for condition, status in (
        (same["etag"], 206), (same["last-modified"], 206), ('"other"', 200), (f"W/{same['etag']}", 200),
    ):  # fmt: skip
        answer = ranged(local_site, export, "bytes=5-", **{"If-Range": condition})
        assert (condition, answer.status_code) == (condition, status)


def test_a_download_that_broke_off_is_continued_to_the_same_bytes(local_site: Site) -> None:
    export = local_site.publish(os.urandom(3_000_000))
    with local_site.http.stream("GET", export.path) as answer:
        first = next(answer.iter_raw(100_000))
    rest = ranged(local_site, export, f"bytes={len(first)}-", **{"If-Range": f'"{export.job.checksum}"'})
    assert first + rest.content == export.data
    assert local_site.count(export) == 1


def test_an_empty_file_is_a_file(local_site: Site) -> None:
    export = local_site.publish(b"")
    answer = local_site.http.get(export.path)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("type_", "compression", "media_type"),
    [
        ("RUN_BUNDLE", "none", "application/zip"), ("BULK_CSV", "gzip", "application/gzip"),
        ("BULK_JSONL", "zstd", "application/zstd"), ("NO_LONGER_OFFERED", "none", "application/octet-stream"),
    ],
)  # fmt: skip
def test_the_media_type_is_that_of_the_file(local_site: Site, type_: str, compression: str, media_type: str) -> None:
    export = local_site.publish(type=type_, options={"compression": compression})
    answer = local_site.http.get(export.path)
    assert answer.headers["content-type"] == media_type
    # Compressed files are files of that type, not an encoding that clients undo.
    assert "content-encoding" not in answer.headers


def test_the_manifest_is_beside_the_file_and_not_counted(local_site: Site) -> None:
    export = local_site.publish()
    answer = local_site.http.get(f"{export.path}/manifest")
    assert (answer.status_code, answer.content) == (200, MANIFEST)
    assert answer.headers["content-type"] == "application/json"
    assert 'filename="file.csv.manifest.json"' in answer.headers["content-disposition"]
    assert local_site.http.head(f"{export.path}/manifest").headers["content-length"] == str(len(MANIFEST))
    assert local_site.count(export) == 0


@pytest.mark.parametrize("suffix", ["", "/manifest"])
def test_a_forged_link_is_refused(local_site: Site, suffix: str) -> None:
    export = local_site.publish()
    foreign = links.mint(b"x" * 32, job_id=export.job.id, expires_at=local_site.clock.now + timedelta(days=1))
    for token in (foreign, export.token[:-2] + "AA", export.token + "A", "x", "%F0%28%8C", "%00", "..%5c.."):
        assert problem(local_site.http.get(f"/downloads/{token}{suffix}")) == (403, "link-forged")
    assert local_site.count(export) == 0


@pytest.mark.parametrize("suffix", ["", "/manifest"])
def test_a_link_whose_time_is_over_is_gone(local_site: Site, suffix: str) -> None:
    export = local_site.publish(hours=24 * 60)
    local_site.clock.go_on(days=30)
    assert problem(local_site.http.get(export.path + suffix)) == (410, "link-expired")


@pytest.mark.parametrize("suffix", ["", "/manifest"])
def test_a_file_whose_time_is_over_is_gone_whatever_the_link_says(local_site: Site, suffix: str) -> None:
    export = local_site.publish(hours=2)
    local_site.clock.go_on(hours=1, minutes=59)
    assert local_site.http.get(export.path + suffix).status_code == 200
    local_site.clock.go_on(minutes=1)
    answer = local_site.http.get(export.path + suffix)
    assert problem(answer) == (410, "file-expired")
    assert "2026-03-01 14:00 UTC" in answer.json()["detail"]
    jobs.expire(local_site.database, export.job.id, now=local_site.clock.now)
    assert problem(local_site.http.get(export.path + suffix)) == (410, "file-expired")
    assert local_site.count(export) <= 1


def test_a_job_that_is_gone_or_has_no_file_says_so(local_site: Site) -> None:
    job, _ = add_processing(local_site.database)
    path = f"/downloads/{local_site.token(job)}"
    assert problem(local_site.http.get(path)) == (404, "no-file")
    jobs.fail(local_site.database, job_id=job.id, attempt=None, error="broken", now=local_site.clock.now)
    answer = local_site.http.get(path)
    assert problem(answer) == (404, "no-file")
    assert "FAILED" in answer.json()["detail"]
    unknown = links.mint(SECRET, job_id="cnever", expires_at=local_site.clock.now + timedelta(days=1))
    assert problem(local_site.http.get(f"/downloads/{unknown}")) == (404, "job-gone")


def test_a_file_that_is_gone_or_damaged_says_so_and_is_not_counted(local_site: Site) -> None:
    export = local_site.publish()
    assert export.job.output_path is not None
    with local_site.store.writer(export.job.output_path) as writer:
        writer.write(b"another")
    assert problem(local_site.http.get(export.path)) == (404, "file-damaged")
    local_site.store.delete(export.job.output_path)
    assert problem(local_site.http.get(export.path)) == (404, "file-gone")
    assert local_site.count(export) == 0


@pytest.mark.parametrize(
    "path",
    [
        "/downloads", "/downloads/", "/downloads/a/b", "/downloads/../../etc/passwd", "/downloads/x/manifest/y",
        "/downloads//etc/passwd", "/docs", "/openapi.json", "/downloads/%2e%2e/%2e%2e/etc/passwd",
    ],
)  # fmt: skip
def test_no_other_path_leads_anywhere(local_site: Site, path: str) -> None:
    assert problem(local_site.http.get(path)) == (404, "not-found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(local_site: Site, method: str) -> None:
    export = local_site.publish()
    answer = local_site.http.request(method, export.path)
    assert problem(answer) == (405, "method-not-allowed")
    assert set(re.split(r",\s*", answer.headers["allow"])) == {"GET", "HEAD"}


def test_people_get_a_page_and_programs_get_json(local_site: Site) -> None:
    path = "/downloads/x"
    page = local_site.http.get(path, headers=PAGE)
    assert page.status_code == 403
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>This link is not valid</h1>" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for accept in ("*/*", "application/json", "application/problem+json, text/html", ""):
        assert problem(local_site.http.get(path, headers={"Accept": accept})) == (403, "link-forged")


def test_hostile_names_stay_inside_their_header(local_site: Site) -> None:
    export = local_site.publish(name='a"; filename="b.exe\u202e.csv')
    disposition = local_site.http.get(export.path).headers["content-disposition"]
    assert disposition.startswith('attachment; filename="a_; filename=_b.exe_.csv"')
    assert "%E2%80%AE" not in disposition


def test_a_database_that_is_away_is_a_passing_matter_without_details(tmp_path: Path) -> None:
    token = links.mint(SECRET, job_id="c1", expires_at=NOW + timedelta(days=1))
    database = Database("postgresql://reader:sesame@127.0.0.1:1/exports")
    with site(database, LocalStore(tmp_path)) as running:
        answer = running.http.get(f"/downloads/{token}")
        assert problem(answer) == (503, "unavailable")
        assert answer.headers["retry-after"] == "30"
        assert not {"sesame", "reader", "127.0.0.1"} & set(re.split(r"[\s\"@:/]", answer.text))
        health = running.http.get("/healthz")
    assert health.status_code == 503
    assert health.json() == {"status": "unavailable", "database": "unavailable", "store": "ok", "daemon": "unknown"}


def test_many_at_once_are_each_served_and_counted(local_site: Site) -> None:
    export = local_site.publish(os.urandom(2_000_000))

    def fetch(_: int) -> bytes:
        return httpx.get(local_site.url + export.path, timeout=60).content

    with ThreadPoolExecutor(16) as pool:
        contents = list(pool.map(fetch, range(48)))
    assert all(content == export.data for content in contents)
    assert local_site.count(export) == 48


def test_a_file_in_s3_is_fetched_from_there_by_a_link_that_lives_minutes(s3_site: Site) -> None:
    export = s3_site.publish(os.urandom(100_000), name="Отчёт.csv")
    answer = s3_site.http.get(export.path)
    assert answer.status_code == 307
    assert answer.headers["cache-control"] == "private, no-store"
    assert "X-Amz-Expires=300" in answer.headers["location"]
    assert httpx.get(answer.headers["location"]).content == export.data
    assert s3_site.http.get(export.path, follow_redirects=True).content == export.data
    tail = s3_site.http.get(export.path, headers={"Range": "bytes=99990-"}, follow_redirects=True)
    assert tail.content == export.data[-10:]
    assert s3_site.count(export) == 2
    assert s3_site.http.get(f"{export.path}/manifest", follow_redirects=True).content == MANIFEST


def test_the_link_of_s3_never_outlives_the_file(s3_site: Site) -> None:
    export = s3_site.publish(hours=1)
    s3_site.clock.go_on(minutes=59)
    assert "X-Amz-Expires=60&" in s3_site.http.get(export.path).headers["location"]


def test_head_and_refusals_of_a_file_in_s3_are_ours(s3_site: Site) -> None:
    export = s3_site.publish()
    head = s3_site.http.head(export.path)
    assert (head.status_code, head.headers["content-length"]) == (200, "10")
    assert head.headers["etag"] == f'"{export.job.checksum}"'
    assert problem(ranged(s3_site, export, "bytes=10-")) == (416, "no-such-range")
    assert export.job.output_path is not None
    s3_site.store.delete(export.job.output_path)
    assert problem(s3_site.http.get(export.path)) == (404, "file-gone")


def test_where_browsers_cannot_reach_the_store_files_pass_through_us(s3_site: Site) -> None:
    with site(s3_site.database, s3_site.store, redirect=False) as running:
        export = running.publish(os.urandom(100_000))
        answer = running.http.get(export.path)
        assert (answer.status_code, answer.content) == (200, export.data)
        tail = running.http.get(export.path, headers={"Range": "bytes=-10"})
        assert (tail.status_code, tail.content) == (206, export.data[-10:])
