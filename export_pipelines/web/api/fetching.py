"""``/api/exports/{id}/download``: a link to the file."""

from pydantic import ConfigDict, Field, JsonValue

from export_pipelines.core.errors import ExpiredLinkError
from export_pipelines.steps.fetching import fetch
from export_pipelines.web.api.bodies import Answer, Moment, problems
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf
from export_pipelines.web.problems import Problem, ProblemError
from export_pipelines.web.sentences import sentence

routes = resource("/exports/{export_id}", tag="exports")

_EXAMPLE: dict[str, JsonValue] = {
    "download_url": "https://exports.example.org/downloads/AwAAAABrCa-tGWMwbXd4cm82dnN4d3NyNWJpY3hqZzlq",
    "expires_at": "2026-03-01T13:00:00.000Z",
    "filename": "courtyard-april.csv",
    "size": 35_430,
    "checksum": "6b0d1c6be71c4a0f4b1a2c4a1a8f8b1b0d9f6a1e2b7c3d4e5f60718293a4b5c6",
}


class FileLinkAnswer(Answer):
    """A link to the file, and how to tell that all of it arrived."""

    download_url: str = Field(description="Downloads the file without a key: whoever has it can. Keep it to yourself.")
    expires_at: Moment = Field(description="When the link closes: within the hour, and never after the file's end.")
    filename: str
    size: int
    checksum: str = Field(description="SHA-256 of the file, in hex.")

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


@routes.get("/download", summary="Get a link to the file", responses=problems(404, 409, 410, 422))
def link(export_id: str, web: WebOf, caller: CallerOf) -> FileLinkAnswer:
    """A new link each time. A viewer's link belongs to the share, and opens nothing once that is revoked."""
    try:
        found = fetch(web.services, caller, export_id)
    except ExpiredLinkError as error:
        detail = sentence(error)
        raise ProblemError(Problem(status=410, code="file-gone", title="The file is gone", detail=detail)) from error
    return FileLinkAnswer(
        download_url=found.url,
        expires_at=found.expires_at,
        filename=found.file_name,
        size=found.size,
        checksum=found.checksum,
    )
