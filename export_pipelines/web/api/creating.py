"""``POST /api/exports`` and ``/api/exports/{id}/retry``: calls that make a job, or have one taken up again."""

from typing import Annotated, Any

from fastapi import BackgroundTasks, Header, Response

from export_pipelines.steps.create import Created, create
from export_pipelines.steps.retry import retry
from export_pipelines.web import log_lines
from export_pipelines.web.api.bodies import problems
from export_pipelines.web.api.export_bodies import ExportBody
from export_pipelines.web.api.exports_shown import CreatedAnswer, show_created
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import Web, WebOf

routes = resource("/exports", tag="exports")

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,255}$",
        description="A text of your choice, like a UUID: the same request with the same key within 24 hours makes no "
        "second job, but is answered with the first, and the header `Idempotent-Replayed: true`.",
        examples=["6f0c2f2e-7d5e-4a83-9d7c-0d1a1d1d8f10"],
    ),
]
_HEADERS = {
    "Location": {"description": "Where the export is.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` when an earlier request with this key made it.",
        "schema": {"type": "string"},
    },
}
CREATED: dict[int | str, dict[str, Any]] = {
    202: {"description": "The export; it waits in the queue, or is launched.", "headers": _HEADERS}
}


@routes.post(
    "",
    status_code=202,
    summary="Ask for an export",
    responses={**CREATED, **problems(400, 403, 404, 408, 409, 413, 422, 429)},
)
def post(
    body: ExportBody, web: WebOf, caller: CallerOf, response: Response, after: BackgroundTasks, key: KeyHeader = None
) -> CreatedAnswer:
    """Make a job, for the caller, and have it launched as soon as its turn comes.

    The answer has its place in the queue and an estimate of what it will come to. A user may make so many requests an
    hour that create jobs; those that are refused, or that repeat another under its key, are not counted.
    """
    made = create(web.services, caller, body.order(caller), key=key)
    return answer_created(web, made, response, after, retry_of=None)


@routes.post(
    "/{export_id}/retry",
    status_code=202,
    summary="Try an export again",
    responses={**CREATED, **problems(403, 404, 409, 422, 429)},
)
def post_retry(
    export_id: str, web: WebOf, caller: CallerOf, response: Response, after: BackgroundTasks, key: KeyHeader = None
) -> CreatedAnswer:
    """Have a FAILED export taken up again where it stopped; of a CANCELLED or EXPIRED one, make a new one alike.

    A new one is its owner's, and `retry_of` names the old. Counts like a request for an export.
    """
    made = retry(web.services, caller, export_id, key=key)
    return answer_created(web, made, response, after, retry_of=None if made.job.id == export_id else export_id)


def answer_created(
    web: Web, made: Created, response: Response, after: BackgroundTasks, *, retry_of: str | None
) -> CreatedAnswer:
    """The answer to a request that made a job, which is launched once the answer is sent."""
    log_lines.is_about_job(made.job)
    response.headers["Location"] = f"/api/exports/{made.job.id}"
    if made.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    after.add_task(web.dagster.launch, web.services)
    return show_created(made.job, made.place, estimate=made.estimate, retry_of=retry_of, now=web.services.clock())
