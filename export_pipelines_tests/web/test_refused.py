"""What the API says when it cannot answer."""

import pytest

from export_pipelines_tests.web.api_site import ApiSite


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not-found"),
        ("PUT", "/api/me", 405, "method-not-allowed"),
        ("GET", "/api", 404, "not-found"),
    ],
)
def test_calls_that_do_not_exist_are_problems_too(api: ApiSite, method: str, path: str, status: int, code: str) -> None:
    answer = api.owner.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "openapi.json" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_description_is_openapi_31_and_names_the_problem_document(api: ApiSite) -> None:
    document = api.clients["nobody"].get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["components"]["securitySchemes"]) == {"ApiKey", "Session"}
    refused = document["paths"]["/api/me"]["get"]["responses"]["401"]["content"]["application/problem+json"]
    assert refused["schema"]["$ref"].rpartition("/")[2] in document["components"]["schemas"]
    assert all(path.startswith("/api/") for path in document["paths"])


def test_a_method_that_is_not_allowed_is_told_all_that_are(api: ApiSite) -> None:
    allowed = {
        path: api.owner.request("PATCH", path).headers["allow"]
        for path in ("/api/me", "/api/exports", "/api/exports/preview", "/api/exports/c1")
    }
    assert allowed["/api/me"] == "GET"
    assert allowed["/api/exports"] == "GET, POST"
    assert allowed["/api/exports/preview"] == "POST"
    assert {"GET", "DELETE"} <= set(allowed["/api/exports/c1"].split(", "))
    assert api.clients["nobody"].get("/api/exports/c1").status_code == 401


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b'{"type": "BULK_CSV"}', {"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
        (b'{"type": "BULK_CSV"}', {}, 415, "unsupported-media-type"),
        (b'{"type": "BULK_CSV"}', {"content-type": "text/plain; charset=utf-8"}, 415, "unsupported-media-type"),
        (b'{"type": "BULK_CSV"}', {"content-type": "application/vnd.ours+json"}, 422, "invalid-request"),
        (b"", {}, 422, "invalid-request"),
        (b"[]", JSON, 422, "invalid-request"),
        (b"{", JSON, 400, "malformed"),
        (b"\xff", JSON, 400, "malformed"),
        (b"[" * 100_000, JSON, 400, "malformed"),
        (b'{"expiryHours": ' + b"9" * 5000 + b"}", JSON, 400, "malformed"),
        (b'{"type": "BULK_CSV", "runId": "\\ud800"}', JSON, 422, "invalid-request"),
        (b'{"type": "BULK_CSV", "runId": "a\\u0000b"}', JSON, 422, "invalid-request"),
        (b'{"type": "BULK_CSV", "runId": "@latest", "expiryHours": 1e400}', JSON, 422, "invalid-request"),
    ],
)
def test_a_body_that_cannot_be_taken_is_told_why(
    api: ApiSite, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = api.owner.post("/api/exports", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 415:
        assert "Content-Type: application/json" in answer.json()["detail"]


def test_numbers_are_taken_as_json_knows_them(api: ApiSite) -> None:
    order = b'{"type": "BULK_CSV", "runId": "@latest", "expiryHours": 24.0}'
    assert api.owner.post("/api/exports", content=order, headers=JSON).status_code == 202
    order = order.replace(b"24.0", b"24.5")
    assert api.owner.post("/api/exports", content=order, headers=JSON).json()["errors"][0]["field"] == "expiryHours"


@pytest.mark.parametrize("moment", ["0.5", "0", "1767225600", "yesterday", "2026-03-01T12:00:00"])
def test_times_are_written_out(api: ApiSite, moment: str) -> None:
    assert api.owner.get("/api/exports", params={"to": moment}).json()["errors"][0]["field"] == "to"
