"""Listening to event streams, as the standard says they are read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One event; ``id`` is None for one that has none of its own."""

    kind: str
    id: int | None
    data: Mapping[str, Any]


@contextmanager
def listening(client: httpx.Client, job_id: str, *, after: int | None = None) -> Iterator[Iterator[Heard]]:
    """The events of an open stream."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with client.stream("GET", f"/api/exports/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield read_events(answer.iter_lines())


def heard(client: httpx.Client, job_id: str, *, after: int | None = None) -> list[Heard]:
    """All of a stream that ends by itself."""
    with listening(client, job_id, after=after) as stream:
        return list(stream)


def read_events(lines: Iterable[str]) -> Iterator[Heard]:
    """Events out of lines; comments and hints are passed over, and what broke off in the middle is none."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not line:
            if "data" in fields:
                id_ = int(fields["id"]) if "id" in fields else None
                yield Heard(kind=fields["event"], id=id_, data=json.loads(fields["data"]))
            fields = {}
