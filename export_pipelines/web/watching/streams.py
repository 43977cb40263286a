"""One stream of server-sent events: what is new of a job at each tick, until the job, or the right to see it, ends.

Whatever has an ``id`` is a row of ``export_events``, told once and in order. Nothing of a stream is kept between two
connections: a client that names the last id it has gets what came after, from whichever process it asks.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from starlette.types import Message, Send

from export_pipelines.core.errors import UnavailableError
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db.jobs import Place
from export_pipelines.db.watching import Sight
from export_pipelines.web.callers import Credentials
from export_pipelines.web.watching.shapes import as_json, moment_of, told_now
from export_pipelines.web.watching.watch import Watch

logger = logging.getLogger(__name__)

QUIET_SECONDS = 1.25
"""After so long without a word a comment is sent; with a tick and a busy moment it comes within two seconds."""
SEND_SECONDS = 20
"""A client that takes nothing for so long is dropped; it can come back with the last id it has."""
LONGEST_SECONDS = 3600
"""After that the client has to come back, so that no stream outlives everything that was known when it began."""
RETRY_MS = 2_000
AWAY_RETRY_MS = 10_000


@dataclass(kw_only=True)
class Stream:
    """What one client has got so far.

    Attributes:
        after: the id of the last event it has.
        first: what was seen when access was checked, before the answer began.
    """

    watch: Watch
    credentials: Credentials
    job_id: str
    after: int
    first: Sight
    _place: Place | EllipsisType | None = ...
    _told_at: float = 0.0

    async def told(self) -> AsyncIterator[bytes]:
        """The stream, piece by piece."""
        now = asyncio.get_running_loop().time
        until = now() + LONGEST_SECONDS
        with self.watch.stream_open():
            yield format_sse_event(retry=RETRY_MS)
            try:
                sight = self.first
                while True:
                    pieces = self._news(sight) + await self._in_the_queue(sight)
                    if pieces or now() - self._told_at >= QUIET_SECONDS:
                        self._told_at = now()
                        yield b"".join(pieces) or format_sse_event(comment="nothing new")
                    if _is_over(sight) or self.watch.ending or now() > until:
                        return
                    if sight.all_events:
                        await self.watch.tick()
                    sight = await self.watch.look(self.credentials, self.job_id, after=self.after)
            except UnavailableError as error:
                logger.warning("event stream ended reason=%s", error)
                yield format_sse_event(comment="not available at the moment", retry=AWAY_RETRY_MS)

    def _news(self, sight: Sight) -> list[bytes]:
        """What to send for what was seen. The last event of a job that is over tells how it ended."""
        job = sight.job
        if job is None:
            return [_event("end", _no_more(self.job_id, sight))]
        told = sight.events
        if told:
            self.after = told[-1].id
        pieces = [
            _event("progress", moment_of(event, job, newest=event is told[-1] and sight.all_events), event.id)
            for event in (told[:-1] if _is_over(sight) else told)
        ]
        if _is_over(sight):
            message, id_ = (told[-1].message, told[-1].id) if told else (None, None)
            pieces.append(_event("end", told_now(job, message), id_))
        return pieces

    async def _in_the_queue(self, sight: Sight) -> list[bytes]:
        """For a job that has not begun, its place, when it is another than was told last; None: its run is promised."""
        job = sight.job
        if job is None or not (sight.waits or job.status is JobStatus.PENDING):
            return []
        place = await self.watch.place(self.job_id) if sight.waits else None
        if place == self._place or (sight.waits and place is None):
            return []
        self._place = place
        return [_event("progress", told_now(job, "waits in the queue" if place else "is about to begin", place))]


class EventStream(StreamingResponse):
    """The answer; a client that takes nothing is not waited for."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        # Proxies must pass on every piece as it comes.
        super().__init__(content, headers={"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"})

    async def stream_response(self, send: Send) -> None:
        """Send the stream's pieces as they come."""

        async def send_soon(message: Message) -> None:
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)

        try:
            await super().stream_response(send_soon)
        except TimeoutError:
            # The server closes what was not finished.
            logger.info("event stream dropped reason=its client took nothing for %d s", SEND_SECONDS)


def _is_over(sight: Sight) -> bool:
    return sight.job is None or (sight.job.over and sight.all_events)


def _event(kind: str, data: dict[str, Any], id_: int | None = None) -> bytes:
    return format_sse_event(event=kind, data_str=as_json(data).decode(), id=None if id_ is None else str(id_))


def _no_more(job_id: str, sight: Sight) -> dict[str, Any]:
    """Why a job that was to be seen when the stream began is no longer."""
    if not sight.exists:
        return {"id": job_id, "status": "DELETED", "message": "The export was deleted."}
    if sight.user_id is None:
        message = "The key or session that this stream began with was revoked or is over; come back with another."
    else:
        message = "The export is no longer shared with you; ask its owner."
    return {"id": job_id, "status": "NOT_READABLE", "message": message}
