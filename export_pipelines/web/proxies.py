"""Behind proxies of our own: the client's true address and scheme, as far as what says so can be believed."""

import re
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from export_pipelines.core.settings import IPNetwork

_WITH_PORT = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?")


class Proxies:
    """ASGI middleware, outside of all that looks at addresses."""

    def __init__(self, app: ASGIApp, trusted: Sequence[IPNetwork] = ()) -> None:
        self._app = app
        self._trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as if the client had connected to us."""
        if scope["type"] == "http" and scope.get("client") and self._believes(scope["client"][0]):
            headers = Headers(scope=scope)
            came = [entry.strip() for entry in ",".join(headers.getlist("x-forwarded-for")).split(",") if entry.strip()]
            scope = {**scope, "client": (self._first_stranger(came) or scope["client"][0], 0)}
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers["x-forwarded-proto"]
        await self._app(scope, receive, send)

    def _first_stranger(self, came: Sequence[str]) -> str | None:
        """From the nearest outward, the first address that is not a proxy of ours: all beyond it, it made up itself."""
        for entry in reversed(came):
            try:
                address = str(ip_address(_without_port(entry)))
            except ValueError:
                return None
            if not self._believes(address):
                return address
        return None

    def _believes(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def _without_port(entry: str) -> str:
    """Some proxies write ``192.0.2.7:4711`` or ``[2001:db8::7]:4711``."""
    match = _WITH_PORT.fullmatch(entry)
    return entry if match is None else match[1] or match[2]
