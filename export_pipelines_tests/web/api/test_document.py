"""The OpenAPI document: whole, valid, readable, and what docs/api.md lists."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from export_pipelines.db.database import Database
from export_pipelines.storage.local import LocalStore
from export_pipelines.web.api.bodies import MEANINGS
from export_pipelines.web.app import create_app
from export_pipelines_tests.deployments import TREE
from export_pipelines_tests.web.site import SECRET, Clock, services_on

SPEAK_FOR_THEMSELVES = {
    "bytes", "bytes_per_second", "completed_at", "created_at", "definition_id", "definition_name", "description",
    "download_url", "email", "extension", "file_format", "filename", "id", "items", "last_downloaded_at", "media_type",
    "name", "output_size_bytes", "recipients", "revoked_at", "rows", "run_id", "sent_at", "started_at", "title", "type",
    "updated_at", "url", "user_agent", "user_id", "values", "version", "address", "count", "field", "next_times",
}  # fmt: skip


@cache
def document() -> dict[str, Any]:
    """As the service would answer with it; nothing is asked of database or store for it."""
    services = services_on(Database("postgresql+psycopg://nobody@127.0.0.1:9/none"), LocalStore(Path("none")), Clock())
    return create_app(services, secret=SECRET).openapi()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


EACH = pytest.mark.parametrize("operation", [pytest.param(found, id=call) for call, found in operations()])


def test_it_is_valid_openapi() -> None:
    assert document()["openapi"].startswith("3.1")
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document())))
    schema.validate()
    assert {result.ok().label for result in schema.get_all_operations()} == {call for call, _ in operations()}


@EACH
def test_a_call_says_what_it_does(operation: dict[str, Any]) -> None:
    assert 5 < len(operation["summary"]) < 60
    assert not operation["summary"].endswith(".")
    assert operation["description"].rstrip().endswith((".", "!"))
    assert operation["tags"]
    assert operation["security"], "anybody could call it"
    assert re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", operation["operationId"]), "web/api/names.py has no name for it"


def test_names_are_unique() -> None:
    for word in ("operationId", "summary"):
        seen = Counter(operation[word] for _, operation in operations())
        assert [name for name, times in seen.items() if times > 1] == []


@EACH
def test_a_call_says_how_it_may_be_refused(operation: dict[str, Any]) -> None:
    told = operation["responses"]
    assert {"401", "503"} <= told.keys()
    if "requestBody" in operation:
        assert {"400", "408", "413", "415", "422"} <= told.keys()
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", ())):
        assert "422" in told
    for status in told.keys() & set(map(str, MEANINGS)):
        content = told[status]["content"]
        assert list(content) == ["application/problem+json"]
        assert content["application/problem+json"]["example"]["status"] == int(status)


@EACH
def test_a_call_shows_examples(operation: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        assert shown(content)
    for status, told in operation["responses"].items():
        for content in told.get("content", {}).values():
            assert shown(content), status
    good = [status for status in operation["responses"] if status < "400"]
    assert len(good) == 1
    if good != ["204"]:
        assert operation["responses"][good[0]]["content"]


def shown(content: dict[str, Any]) -> bool:
    schema = content["schema"]
    schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return "example" in content or bool(schema.get("examples"))


@EACH
def test_every_parameter_is_described(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        assert parameter.get("description") or parameter["name"] in SPEAK_FOR_THEMSELVES, parameter["name"]


def test_every_field_is_described_or_speaks_for_itself() -> None:
    silent = {
        f"{name}.{field}"
        for name, schema in document()["components"]["schemas"].items()
        for field, about in schema.get("properties", {}).items()
        if not about.get("description") and field not in SPEAK_FOR_THEMSELVES and "$ref" not in about
    }
    assert silent == set()


def test_docs_list_every_call() -> None:
    told = re.findall(r"^\| `([A-Z]+ /api/\S*)` \| (.+) \|$", (TREE / "docs" / "api.md").read_text("utf-8"), re.M)
    assert dict(told) == {call: operation["summary"] for call, operation in operations()}
    assert len(told) == len(dict(told))
