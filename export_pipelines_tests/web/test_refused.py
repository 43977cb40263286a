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


def test_a_body_that_is_not_sent_as_json_is_told_how(api: ApiSite) -> None:
    answer = api.owner.post(
        "/api/exports", content=b'{"type": "BULK_CSV"}', headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["detail"]
