"""Around every answer: headers that keep it safe, and a line in the log that never shows a token.

A token in an address is a secret. So the log shows the route's pattern instead of the path, and no answer lets a
browser send its address on to another site.
"""

import logging
import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from export_pipelines.web import log_lines

logger = logging.getLogger("export_pipelines.web.access")

SAFE_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Set where an answer does not say otherwise itself."""


class Access:
    """ASGI middleware; outermost, so that it sees error answers too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, lines = time.perf_counter(), log_lines.begin()
        seen = {"status": 0, "bytes": 0}

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            else:
                seen["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            _log(scope, seconds=time.perf_counter() - started, **seen)
            log_lines.end(lines)


def _log(scope: Scope, **facts: Any) -> None:  # noqa: ANN401  # numbers of several kinds, for the formatter only
    fields = {
        "method": scope["method"],
        "route": getattr(scope.get("route"), "path", "-"),
        # An answer that never began failed, and the server outside of us says so.
        "status": facts["status"] or 500,
        "bytes": facts["bytes"],
        "seconds": round(facts["seconds"], 3),
        "address": (scope.get("client") or ("-",))[0],
    }
    logger.info("request", extra={"fields": fields})
