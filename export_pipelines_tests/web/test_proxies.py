"""Addresses that proxies tell: believed from ours, and from nobody else."""

import asyncio
from ipaddress import ip_network

import pytest
from starlette.types import Receive, Scope, Send

from export_pipelines.web.proxies import Proxies

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def seen(peer: str, *forwarded: str, proto: str | None = None) -> tuple[str, str]:
    found: list[tuple[str, str]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append((scope["client"][0], scope["scheme"]))

    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    scope = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": headers}
    asyncio.run(Proxies(app, TRUSTED)(scope, None, None))  # type: ignore[arg-type]
    return found[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, garbage"], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1:4711, 10.9.9.9:80"], "198.51.100.1"),
        ("fd00::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("fd00::1", ["[2001:db8::7]"], "2001:db8::7"),
        ("10.0.0.1", ["198.51.100.1:http"], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.1"),
        ("fd00::1", ["2001:db8:0::7"], "2001:db8::7"),
        ("not an address", ["198.51.100.1"], "not an address"),
    ],
)
def test_the_nearest_address_that_is_no_proxy_of_ours_counts(peer: str, forwarded: list[str], address: str) -> None:
    assert seen(peer, *forwarded)[0] == address


def test_the_scheme_is_believed_from_our_proxies_only() -> None:
    assert seen("10.0.0.1", proto="https")[1] == "https"
    assert seen("10.0.0.1", proto="gopher")[1] == "http"
    assert seen("203.0.113.9", proto="https")[1] == "http"
