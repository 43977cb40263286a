"""What clients send us: never more than a limit, and never slower than a limit."""

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from export_pipelines.web.problems import Problem, answer

MOST_BYTES = 1_000_000
SECONDS = 20
"""For the whole body to arrive."""

TOO_LARGE = Problem(
    status=413,
    code="body-too-large",
    title="The request is too large",
    detail=f"A request's body may have up to {MOST_BYTES} bytes; send less.",
    headers={"Connection": "close"},
)
TOO_SLOW = Problem(
    status=408,
    code="body-too-slow",
    title="The request did not arrive",
    detail=f"The request's body did not arrive within {SECONDS} seconds; send it again.",
    headers={"Connection": "close"},
)


class Bodies:
    """ASGI middleware: reads the whole body before anything works on it, within the limits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body at hand, or refuse it."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            async with asyncio.timeout(SECONDS):
                body = await _read(request, receive)
        except TimeoutError:
            await answer(request, TOO_SLOW)(scope, receive, send)
            return
        if body is None:
            await answer(request, TOO_LARGE)(scope, receive, send)
            return
        read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return read.pop() if read else await receive()

        await self._app(scope, replay, send)


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"content-length" in names or b"transfer-encoding" in names


async def _read(request: Request, receive: Receive) -> bytes | None:
    """The body; None when it is too large, or its sender has gone."""
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit() or int(announced) > MOST_BYTES:
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)
