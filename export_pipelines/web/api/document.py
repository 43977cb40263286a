"""The API's own description: OpenAPI 3.1, as the framework makes it from the routes, with what they share."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from export_pipelines.web.api.bodies import ProblemAnswer, Refusal, problems
from export_pipelines.web.api.words import FIELDS, PARAMETERS

_TEMPLATE = "#/components/schemas/{model}"
_OF_BODIES = (400, 408, 413, 415, 422)
_SAFE = ("get", "head", "options")
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")
"""Ours are problem documents."""


def describe(app: FastAPI) -> None:
    """Complete the framework's description with what is alike in all routes."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(made())
        return made()

    app.openapi = document  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _FRAMEWORKS_OWN:
        schemas.pop(name, None)
    for model in (Refusal, ProblemAnswer):
        schema = model.model_json_schema(ref_template=_TEMPLATE)
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    for schema in schemas.values():
        _explain(schema)
    for schema in schemas.values():
        _show_page(schema, schemas)
    for method, operation in _operations(document):
        _tell_problems(method, operation)
        for parameter in operation.get("parameters", ()):
            if "description" not in parameter and parameter["name"] in PARAMETERS:
                parameter["description"] = PARAMETERS[parameter["name"]]


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in document.get("paths", {}).values():
        yield from methods.items()


def _tell_problems(method: str, operation: dict[str, Any]) -> None:
    """What the ground under the routes may answer, they need not name."""
    told = {status: answer for status, answer in operation["responses"].items() if not _is_frameworks(answer)}
    wanted = set(_OF_BODIES) if "requestBody" in operation else set()
    wanted |= set() if method in _SAFE else {403}
    wanted |= {422} if "422" in operation["responses"] else set()
    shared = {str(status): answer for status, answer in problems(*wanted).items()}
    operation["responses"] = dict(sorted({**shared, **told}.items()))


def _is_frameworks(answer: dict[str, Any]) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("$ref", "").endswith("/HTTPValidationError"))


def _explain(schema: dict[str, Any]) -> None:
    """Fields that their models say nothing of."""
    for name, field in schema.get("properties", {}).items():
        if "description" not in field and name in FIELDS:
            field["description"] = FIELDS[name]


def _show_page(schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    """An example of a list is a list of an example."""
    fields = schema.get("properties", {})
    item = fields.get("items", {}).get("items", {}).get("$ref", "").rpartition("/")[2]
    if "examples" in schema or not schemas.get(item, {}).get("examples"):
        return
    cursor = {"next_cursor": None} if "next_cursor" in fields else {}
    schema["examples"] = [{"items": schemas[item]["examples"][:1], **cursor}]
