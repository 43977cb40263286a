"""What the API must never do, whatever it is asked: paths, names, headers, addresses, and a database that is away."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import httpx
import pytest
from werkzeug.http import parse_options_header

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.steps.services import Services
from export_pipelines.web.access import SAFE_HEADERS
from export_pipelines_tests.web.api.calls import ORDER
from export_pipelines_tests.web.api_site import ApiSite, api_site
from export_pipelines_tests.web.watching.test_streams import refusing_connections

MARK = "c0marked"
CLIMBS = [
    f"../../../../{MARK}",
    f"..%2f..%2f..%2f{MARK}",
    f"%2e%2e/%2e%2e/{MARK}",
    f"%252e%252e%252f{MARK}",
    f"..%5c..%5c{MARK}",
    f"%2fetc%2f{MARK}",
    f"{MARK}%00.csv",
    f"file:%2f%2f%2f{MARK}",
]
_opened: list[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event in ("open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir"):
        _opened.append(str(arguments[0]))


@contextmanager
def files_opened() -> Iterator[list[str]]:
    """Every path that this process opens, lists or changes meanwhile; Python lets nobody take the hook out again."""
    global _opened  # noqa: PLW0603 - the hook is one for the whole process
    sys.addaudithook(_note)
    _opened = found = []
    try:
        yield found
    finally:
        _opened = None


def test_no_path_of_a_request_reaches_the_file_system(api: ApiSite) -> None:
    document = api.owner.get("/api/openapi.json").json()
    patterns = [(method, path) for path, methods in document["paths"].items() for method in methods if "{" in path]
    patterns += [("get", "/downloads/{token}"), ("get", "/static/{version}/{name}"), ("get", "/exports/{export_id}")]
    job, asked = api.job(JobStatus.COMPLETED), 0
    with files_opened() as found:
        for method, pattern in patterns:
            for climb in CLIMBS:
                # A client would tidy `..` up; the raw path goes out as it is written.
                path = pattern.replace("{export_id}", job.id, pattern.count("{") - 1)
                raw = "".join(climb if piece.startswith("{") else piece for piece in _pieces(path))
                url = httpx.URL(api.url).copy_with(raw_path=raw.encode())
                answer = api.owner.request(method.upper(), url, json={"timezone": "UTC"} if method == "patch" else None)
                assert answer.status_code in (303, 401, 403, 404, 405, 415, 422), (method, raw, answer.status_code)
                asked += 1
        link = api.owner.get(f"/api/exports/{job.id}/download").json()["download_url"]
        assert httpx.get(api.url + httpx.URL(link).path).status_code == 200
    assert asked >= 200
    # The file itself was seen, so the others would have been.
    assert [path for path in found if path.endswith(str(job.output_path))]
    assert not [path for path in found if MARK in path]


def _pieces(path: str) -> list[str]:
    """``/a/{b}/c`` in pieces, of which those in braces stand alone."""
    pieces: list[str] = []
    for part in path.split("{"):
        inside, brace, after = part.partition("}")
        pieces += ["{" + inside, after] if brace else [part]
    return pieces


@pytest.mark.parametrize(
    ("name", "saved_as"),
    [
        ("résumé 漢字 🙂.csv", "résumé 漢字 🙂.csv"),
        ('a"; filename="evil.exe', "a_; filename=_evil.exe"),
        ("a; filename*=UTF-8''evil.exe", "a; filename_=UTF-8''evil.exe"),
        ("invoice\u202evsc.exe", "invoice_vsc.exe"),
        ("...", "download"),
        ("100%41.csv", "100%41.csv"),
    ],
)
def test_a_file_is_saved_under_its_name_as_far_as_that_is_harmless(api: ApiSite, name: str, saved_as: str) -> None:
    job = api.job(JobStatus.COMPLETED)
    assert job.output_path is not None
    key = f"{job.output_path.rpartition('/')[0]}/{name}"
    with api.services.store.open(job.output_path) as stored, api.services.store.writer(key) as copy:
        copy.write(stored.read())
    with api.services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE exports.export_jobs SET output_path = %s WHERE id = %s", [key, job.id])
    link = api.owner.get(f"/api/exports/{job.id}/download").json()
    fetched = httpx.get(api.url + httpx.URL(link["download_url"]).path)
    assert fetched.status_code == 200
    assert "set-cookie" not in fetched.headers
    kind, options = parse_options_header(fetched.headers["content-disposition"])
    assert (kind, options) == ("attachment", {"filename": saved_as})


@pytest.mark.parametrize(("trusted", "address"), [((), "127.0.0.1"), ((ip_network("127.0.0.0/8"),), "198.51.100.7")])
def test_addresses_reach_the_audit_from_our_proxies_only(services: Services, trusted: object, address: str) -> None:
    with api_site(services, trusted_proxies=trusted) as api:
        headers = {"X-Forwarded-For": "203.0.113.1, 198.51.100.7", "User-Agent": "A program/1.0"}
        made = api.owner.post("/api/exports", json=ORDER, headers=headers).json()
        [created] = audit.list_for_job(api.services.database, made["id"])
    assert (created.actor.address, created.actor.user_agent) == (address, "A program/1.0")


def test_every_answer_is_safe_whatever_it_is(api: ApiSite) -> None:
    owner = api.owner
    answers = {
        200: owner.get("/api/me"),
        202: owner.post("/api/exports", json=ORDER),
        303: api.clients["nobody"].get("/", headers={"Accept": "text/html"}),
        400: owner.post("/api/exports", content=b"\xff", headers={"Content-Type": "application/json"}),
        401: api.clients["nobody"].get("/api/me"),
        403: owner.get("/api/audit/verify"),
        404: owner.get("/nowhere"),
        405: owner.put("/api/me"),
        413: owner.post("/api/exports", content=b" " * 1_000_001),
        415: owner.post("/api/exports", content=b"{}"),
        422: owner.post("/api/exports", json={}),
    }
    assert {status: answer.status_code for status, answer in answers.items()} == {status: status for status in answers}
    for answer in answers.values():
        headers = {name: answer.headers.get(name) for name in SAFE_HEADERS}
        # Pages load their own styles and scripts, and nobody else's.
        policy = headers.pop("Content-Security-Policy") or ""
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in (headers["Cache-Control"] or "")
        assert headers["Referrer-Policy"] in ("no-referrer", "same-origin")
        assert "server" not in answer.headers


def test_a_database_that_is_away_is_a_problem_that_passes(api: ApiSite, postgres_server: EmbeddedServer) -> None:
    job = api.job()
    reads = ("/api/exports", f"/api/exports/{job.id}", "/api/schedules", "/api/usage", "/api/me")
    with refusing_connections(postgres_server, api.services.database):
        away = [api.owner.get(path) for path in reads]
        refused = api.owner.post("/api/exports", json=ORDER)
        assert api.clients["nobody"].get("/api/openapi.json").status_code == 200
    for answer in (*away, refused):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert "postgres" not in answer.text.lower()
    assert {api.owner.get(path).status_code for path in reads} == {200}
    assert api.owner.post("/api/exports", json=ORDER).status_code == 202
    assert jobs.get(api.services.database, job.id).id == job.id
