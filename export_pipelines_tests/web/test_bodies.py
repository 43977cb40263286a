"""Bodies: how much may come, how fast, and what is said otherwise."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from export_pipelines.web import bodies
from export_pipelines_tests.web.api_site import ApiSite


def test_a_body_that_is_too_large_is_refused_before_anything_is_done(api: ApiSite) -> None:
    for content in (b" " * (bodies.MOST_BYTES + 1), pieces()):
        answer = httpx.post(api.url + "/api/me", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert httpx.post(api.url + "/api/me", content=b" " * bodies.MOST_BYTES).status_code == 405


def pieces() -> Iterator[bytes]:
    """Sent in chunks, so that no header says how much will come."""
    for _ in range(bodies.MOST_BYTES // 100_000 + 1):
        yield b" " * 100_000


async def took(scope: Scope, receive: Receive, send: Send) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def asked(*messages: Message, wait: bool = False) -> list[Message]:
    said: list[Message] = []
    coming = iter(messages)

    async def receive() -> Message:
        for message in coming:
            return message
        await asyncio.sleep(60 if wait else 0)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"transfer-encoding", b"chunked")]}
    asyncio.run(bodies.Bodies(took)(scope, receive, send))
    return said


def test_a_body_in_pieces_arrives_whole() -> None:
    said = asked(
        {"type": "http.request", "body": b"one ", "more_body": True},
        {"type": "http.request", "body": b"two", "more_body": False},
    )
    assert said[1]["body"] == b"one two"


def test_a_body_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.05)
    said = asked({"type": "http.request", "body": b"one", "more_body": True}, wait=True)
    assert said[0]["status"] == 408


def test_a_client_that_goes_in_the_middle_is_nobody_to_work_for() -> None:
    said = asked({"type": "http.request", "body": b"one", "more_body": True})
    assert said[0]["status"] == 413
