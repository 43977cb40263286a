"""What may be exported: types with their options, runs and definitions to search."""

from typing import Any

from export_pipelines.catalog.types import EXPORT_TYPES
from export_pipelines_tests.web.api_site import RUN, ApiSite


def get(api: ApiSite, path: str, *, by: str = "owner", **params: object) -> Any:
    answer = api.clients[by].get(path, params=params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_type_says_what_it_takes_and_who_may(api: ApiSite) -> None:
    types = {type_["name"]: type_ for type_ in get(api, "/api/types")["items"]}
    assert list(types) == [type_.name for type_ in EXPORT_TYPES]
    assert (types["BULK_CSV"]["of"], types["BULK_CSV"]["field"]) == ("run", "runId")
    options = {option["name"]: (option["values"], option["default"]) for option in types["BULK_CSV"]["options"]}
    assert options["profile"] == (["summary", "flat"], "summary")
    assert options["strict"] == ([True, False], False)
    assert [name for name, type_ in types.items() if not type_["allowed"]] == ["AUDIT_JSONL"]
    assert all(type_["allowed"] for type_ in get(api, "/api/types", by="administrator")["items"])


def test_runs_are_found_by_name_definition_and_id_newest_first_page_by_page(api: ApiSite) -> None:
    everything = get(api, "/api/runs", limit=100)["items"]
    assert [run["created_at"] for run in everything] == sorted((run["created_at"] for run in everything), reverse=True)
    first = get(api, "/api/runs", limit=2)
    second = get(api, "/api/runs", limit=2, cursor=first["next_cursor"])
    assert first["items"] + second["items"] == everything[:4]
    [found] = get(api, "/api/runs", q=RUN.upper())["items"]
    assert (found["name"], found["status"], found["transcripts"]) == (RUN, "COMPLETED", 93)
    assert found in get(api, "/api/runs", q="quiet hours: many")["items"]
    assert get(api, "/api/runs", q=found["id"][:8])["items"] == [found]
    assert {run["status"] for run in get(api, "/api/runs", status="COMPLETED")["items"]} == {"COMPLETED"}
    assert get(api, "/api/runs", q="100%_\\") == {"items": [], "next_cursor": None}


def test_definitions_are_found_with_what_there_is_of_them(api: ApiSite) -> None:
    [found] = get(api, "/api/definitions", q="many languages")["items"]
    assert (found["version"] >= 1, found["scenarios"] > 1, found["runs"] >= 1) == (True, True, True)
    assert get(api, "/api/definitions", q=found["id"][:6])["items"] == [found]


def test_searching_needs_somebody_who_asks_and_words_that_can_be_read(api: ApiSite) -> None:
    for path in ("/api/types", "/api/runs", "/api/definitions"):
        assert api.clients["nobody"].get(path).status_code == 401
    for params in ({"cursor": "x"}, {"limit": "101"}, {"q": "\x00"}, {"colour": "red"}):
        assert api.owner.get("/api/runs", params=params).status_code == 422
