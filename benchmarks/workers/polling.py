"""Status reads as fast as they are answered: ``PORT PATH CONNECTIONS SECONDS``, and ``BENCH_KEY``."""

import asyncio
import json
import os
import sys
import time
from typing import cast

import uvloop

from benchmarks.usage import Usage

WARM_UP_SECONDS = 1.0


class Poller(asyncio.Protocol):
    """One connection that asks again as soon as it was answered."""

    def __init__(self, request: bytes, times: list[tuple[float, float]]) -> None:
        self._request = request
        self._times = times
        self._answer = b""
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Note how long the answer took, once all of it is there."""
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"the service answers {head[:60]!r}")
        now = time.perf_counter()
        self._times.append((now, now - self._asked))
        self._ask()

    def _ask(self) -> None:
        self._answer, self._asked = b"", time.perf_counter()
        self._transport.write(self._request)


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def poll(port: int, request: bytes, *, connections: int, seconds: float) -> list[float]:
    """Seconds that each answer took, those of the first second left out."""
    times: list[tuple[float, float]] = []
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: Poller(request, times), "127.0.0.1", port)
    await asyncio.sleep(WARM_UP_SECONDS + seconds)
    counted = (began + WARM_UP_SECONDS, began + WARM_UP_SECONDS + seconds)
    return sorted(took for at, took in times if counted[0] <= at < counted[1])


def main() -> None:
    port, path, connections, seconds = sys.argv[1:]
    key = os.environ["BENCH_KEY"]
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    usage = Usage()
    took = uvloop.run(poll(int(port), request, connections=int(connections), seconds=float(seconds)))
    if not took:
        sys.exit("the service gave no answer in time")
    said = {
        **usage.so_far(),
        "requests_a_second": len(took) / float(seconds),
        "median_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[len(took) * 99 // 100] * 1000,
        "worst_ms": took[-1] * 1000,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
