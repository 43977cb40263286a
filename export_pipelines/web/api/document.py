"""The API's own description: OpenAPI 3.1, as the framework makes it from the routes, with what they share."""

from typing import Any

from fastapi import FastAPI

from export_pipelines.web.api.bodies import ProblemAnswer, Refusal

_TEMPLATE = "#/components/schemas/{model}"


def describe(app: FastAPI) -> None:
    """Add the problem document to the description; routes refer to it by name."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = made().setdefault("components", {}).setdefault("schemas", {})
            for model in (Refusal, ProblemAnswer):
                schema = model.model_json_schema(ref_template=_TEMPLATE)
                schema.pop("$defs", None)
                schemas[model.__name__] = schema
        return made()

    app.openapi = document  # type: ignore[method-assign]
