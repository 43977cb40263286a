"""Connections: what comes before a request is one, its line and its headers, within limits of time and size.

The server that we build on waits for ever for a header that comes a byte at a time, and keeps whatever comes. What is
refused here never reaches the application, so the answers are written out by hand.
"""

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from export_pipelines.web.access import SAFE_HEADERS
from export_pipelines.web.problems import Problem, document

logger = logging.getLogger(__name__)

SECONDS = 20.0
"""For a new connection, or one that has begun a request, to have sent all headers of it."""
MOST_BYTES = 64 * 1024

NOT_HTTP = Problem(
    status=400,
    code="malformed",
    title="This is not HTTP",
    detail="The request cannot be read as HTTP/1.1; correct its first line and its headers.",
)
TOO_SLOW = Problem(
    status=408,
    code="headers-too-slow",
    title="The request did not arrive",
    detail=f"The request's headers did not arrive within {SECONDS:.0f} seconds; send it again.",
)
TOO_LARGE = Problem(
    status=431,
    code="headers-too-large",
    title="The headers are too large",
    detail=f"A request's line and headers may have up to {MOST_BYTES} bytes together; send less.",
)


class Connection(HttpToolsProtocol):
    """A client's connection to the server."""

    _due: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client has some time for its first request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone; there is nothing to wait for."""
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Whatever comes between two requests is the head of the next."""
        before: RequestResponseCycle | None = self.cycle
        super().data_received(data)
        if self.cycle is not before or not self._between_requests():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_BYTES:
            self._refuse(TOO_LARGE)
        elif self._due is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """The request is there; the limits of its body are the application's."""
        self._expect_nothing()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What the parser refuses."""
        self._expect_nothing()
        self.transport.write(written(NOT_HTTP))
        self.transport.close()

    def _between_requests(self) -> bool:
        idle = self.cycle is None or self.cycle.response_complete
        return idle and not self.transport.is_closing()

    def _expect_head(self) -> None:
        self._due = self.loop.call_later(SECONDS, self._refuse, TOO_SLOW)

    def _expect_nothing(self) -> None:
        self._head_bytes = 0
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _refuse(self, problem: Problem) -> None:
        self._expect_nothing()
        if self.transport.is_closing():
            return
        logger.info("connection refused code=%s address=%s", problem.code, (self.client or ("-",))[0])
        self.transport.write(written(problem))
        self.transport.close()


def written(problem: Problem) -> bytes:
    """The whole answer, as it goes over the wire; the connection ends with it."""
    body = document(problem)
    headers: Mapping[str, Any] = {
        **SAFE_HEADERS,
        **problem.headers,
        "Content-Type": "application/problem+json",
        "Content-Length": len(body),
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
