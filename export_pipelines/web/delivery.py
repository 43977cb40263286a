"""Sending a stored file: its headers, and its bytes in a stream that takes little memory however slow the client."""

import asyncio
import base64
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from export_pipelines.core.errors import IntegrityError
from export_pipelines.storage.disposition import content_disposition
from export_pipelines.storage.store import ObjectStore
from export_pipelines.web.ranges import Span, Wanted

CHUNK_BYTES = 512 * 1024
"""Held twice a download: once on its way out of the store, once on its way into the network."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """A stored file as its reader sees it.

    Attributes:
        key: where it lies in the store; from the job's row, never from the request.
        sha256: hex digest, None where nobody wrote one down.
    """

    key: str
    file_name: str
    media_type: str
    size: int
    sha256: str | None
    modified_at: datetime

    @property
    def etag(self) -> str | None:
        """A strong entity tag: equal tags mean equal bytes."""
        return f'"{self.sha256}"' if self.sha256 else None

    @property
    def last_modified(self) -> str:
        """The time of change as HTTP writes it."""
        return format_datetime(self.modified_at.replace(microsecond=0), usegmt=True)

    def headers(self) -> dict[str, str]:
        """The headers of the whole file; those of a part are the same but for length and range."""
        headers = {
            "Content-Type": self.media_type,
            "Content-Length": str(self.size),
            "Content-Disposition": content_disposition(self.file_name),
            "Last-Modified": self.last_modified,
            "Accept-Ranges": "bytes",
        }
        if self.sha256 is not None and self.etag is not None:
            digest = base64.b64encode(bytes.fromhex(self.sha256)).decode()
            headers |= {"ETag": self.etag, "Repr-Digest": f"sha-256=:{digest}:"}
        return headers


class FileResponse(Response):
    """The bytes of a download, read from any store in a worker thread, a chunk at a time.

    The object is opened before the answer begins and read through what was opened: it may expire and be deleted
    meanwhile, and still arrives whole.
    """

    def __init__(self, store: ObjectStore, download: Download, wanted: Wanted) -> None:
        span = wanted if isinstance(wanted, Span) else Span(start=0, end=download.size)
        headers = download.headers()
        if wanted is span:
            headers |= {
                "Content-Length": str(span.size),
                "Content-Range": f"bytes {span.start}-{span.end - 1}/{download.size}",
            }
        self.status_code = 206 if wanted is span else 200
        self.background = None
        self.init_headers(headers)
        self._left = span.size
        self._opened = ExitStack()
        self._file = self._opened.enter_context(store.open(download.key, offset=span.start, size=span.size))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, until all is sent or nobody listens any more."""
        client_gone = asyncio.create_task(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while self._left and not client_gone.done():
                chunk = await run_in_threadpool(self._read)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            client_gone.cancel()
            self.close()

    def close(self) -> None:
        """Let go of the object; for an answer that is not sent after all."""
        self._opened.close()

    def _read(self) -> bytes:
        chunk = self._file.read(min(CHUNK_BYTES, self._left))
        if not chunk:
            # The connection breaks off, and the client sees that bytes are missing.
            raise IntegrityError(f"A stored file ended {self._left} bytes early while it was being sent.")
        self._left -= len(chunk)
        return chunk


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
