"""``/api/exports/{id}/status`` and ``/events``: how an export comes along, for those who ask and those who listen."""

from typing import Annotated

from fastapi import Header, Query
from fastapi.responses import Response

from export_pipelines.core.errors import ValidationError
from export_pipelines.web import log_lines
from export_pipelines.web.api.bodies import problems
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import TAKES_CREDENTIALS, CredentialsOf
from export_pipelines.web.watching.shapes import STREAM_EXAMPLE, Standing, as_json, standing
from export_pipelines.web.watching.streams import EventStream, Stream
from export_pipelines.web.watching.watch import WatchOf, seen

routes = resource("/exports/{export_id}", tag="watching")

_LAST_ID_DIGITS = 18
_EVENT = {
    "type": "object",
    "description": "One event.",
    "properties": {
        "event": {"enum": ["progress", "end"], "description": "What the event is."},
        "id": {"type": "string", "description": "To take the stream up again after it; only of what is written down."},
        "data": {"type": "string", "description": "How the export stands, as `/status` tells it: JSON."},
        "retry": {"type": "integer", "description": "Milliseconds to wait before the stream is taken up again."},
    },
}
_STREAM = {
    "description": "The events. `progress` and `end` have an `id` when they are written down, and then come once.",
    "content": {"text/event-stream": {"schema": _EVENT, "example": STREAM_EXAMPLE}},
}


@routes.get(
    "/status",
    summary="How does it come along?",
    response_model=Standing,
    responses=problems(404, 422),
    openapi_extra=TAKES_CREDENTIALS,
)
async def status(export_id: str, watch: WatchOf, credentials: CredentialsOf) -> Response:
    """Small and quick, for programs that ask again and again; no limit counts it."""
    job = await watch.poll(credentials, export_id)
    log_lines.is_about(job.id)
    return Response(as_json(standing(job)), media_type="application/json")


@routes.get(
    "/events",
    summary="Listen to how it comes along",
    status_code=200,
    response_class=EventStream,
    responses={200: _STREAM, **problems(404, 422)},
    openapi_extra=TAKES_CREDENTIALS,
)
async def events(
    export_id: str,
    watch: WatchOf,
    credentials: CredentialsOf,
    last_event_id: Annotated[
        str, Header(max_length=100, description="The last `id` you have; what came after it is sent.")
    ] = "",
    last_id: Annotated[
        str, Query(alias="lastEventId", max_length=100, description="The same, where headers cannot be set.")
    ] = "",
) -> EventStream:
    """Server-sent events: what was written down since the id you name, what is new from then on, and then the end.

    While it waits, `progress` tells its place in the queue; while nothing is new, a comment comes every two seconds.
    `end` tells the last state, and closes the stream. A stream that closes without `end` is taken up again with the
    last `id`; nothing is lost or doubled.
    """
    after = _read_id(last_event_id or last_id)
    watch.require_room()
    first = await watch.look(credentials, export_id, after=after)
    log_lines.is_about(seen(first, export_id).id)
    stream = Stream(watch=watch, credentials=credentials, job_id=export_id, after=after, first=first)
    return EventStream(stream.told())


def _read_id(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= _LAST_ID_DIGITS):
        raise ValidationError("Last-Event-ID is no id of an event; send one that a stream of ours gave, or none.")
    return int(text)
