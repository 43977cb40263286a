"""What all pollers and streams of this process share: the connections they look through, their pace, and their end."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from export_pipelines.core.errors import UnavailableError
from export_pipelines.core.ids import looks_like_id
from export_pipelines.core.jobs import JobNow
from export_pipelines.db.jobs import Place
from export_pipelines.db.watching import Question, Sight, Watcher
from export_pipelines.steps.access import unknown
from export_pipelines.steps.queue import places
from export_pipelines.steps.services import Services
from export_pipelines.web.callers import NOT_AUTHENTICATED, Credentials
from export_pipelines.web.problems import ProblemError

TICK_SECONDS = 0.5
"""Between two looks of a stream; all streams look together, with one statement."""
MOST_STREAMS = 1_000


class Watch:
    """One for a process; used in its event loop only."""

    def __init__(self, services: Services) -> None:
        # Streams look all at once: those who poll do not stand in that line.
        self._for_pollers = Watcher(services.database, services.clock)
        self._for_streams = Watcher(services.database, services.clock)
        self._services = services
        self._open = 0
        self._unplaced: set[str] = set()
        self._placing: asyncio.Task[Mapping[str, Place | None]] | None = None
        self._beat: asyncio.Future[None] | None = None
        self.ending = False

    async def poll(self, credentials: Credentials, job_id: str) -> JobNow:
        """How the job stands.

        Raises:
            ProblemError: 401, nobody's credentials.
            NotFoundError: there is no such job, or none that the caller may see.
            DatabaseUnavailableError: the database is away.
        """
        sight = await self._for_pollers.ask(_question(credentials, job_id))
        return seen(sight, job_id)

    async def look(self, credentials: Credentials, job_id: str, *, after: int) -> Sight:
        """What is to be seen of the job, and which events came after that one.

        Raises:
            DatabaseUnavailableError: the database is away.
        """
        return await self._for_streams.ask(_question(credentials, job_id, after=after))

    async def place(self, job_id: str) -> Place | None:
        """Where the job waits in the queue; all streams that ask in one moment ask together. None: it is not known.

        Raises:
            DatabaseUnavailableError: the database is away.
        """
        self._unplaced.add(job_id)
        while True:
            if self._placing is None or self._placing.done():
                self._placing = asyncio.create_task(self._places())
            found = await asyncio.shield(self._placing)
            # Not so when those who are answered now had asked before.
            if job_id in found:
                return found[job_id]

    async def _places(self) -> Mapping[str, Place | None]:
        """All that were asked for, also those that are not known."""
        await asyncio.sleep(0)
        asked, self._unplaced = self._unplaced, set()
        found = await run_in_threadpool(places, self._services, sorted(asked))
        return {job_id: found.get(job_id) for job_id in asked}

    async def tick(self) -> None:
        """Wait until it is time for all streams to look again, or to end."""
        if self._beat is None or self._beat.done():
            self._beat = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(TICK_SECONDS, _strike, self._beat)
        await asyncio.shield(self._beat)

    def require_room(self) -> None:
        """Look whether another stream can be served.

        Raises:
            UnavailableError: there are as many as one process serves, or the process is about to end.
        """
        if self.ending or self._open >= MOST_STREAMS:
            raise UnavailableError(f"{self._open} event streams are open, and no more are taken.")

    @contextmanager
    def stream_open(self) -> Iterator[None]:
        """Count a stream while the block lasts."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    def end(self) -> None:
        """The process is about to end: streams close, and their clients go on elsewhere, or later."""
        self.ending = True
        if self._beat is not None:
            _strike(self._beat)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._for_pollers.close()
        await self._for_streams.close()


async def _watch_of(request: Request) -> Watch:
    watch = request.app.state.watch
    assert isinstance(watch, Watch)  # noqa: S101 - set by create_app, and by nobody else
    return watch


WatchOf = Annotated[Watch, Depends(_watch_of)]
"""The type of a route's parameter that is given what watches."""


def seen(sight: Sight, job_id: str) -> JobNow:
    """The job that was looked for.

    Raises:
        ProblemError: 401, nobody's credentials.
        NotFoundError: there is no such job, or none that the caller may see.
    """
    if sight.user_id is None:
        raise ProblemError(NOT_AUTHENTICATED)
    if sight.job is None:
        raise unknown(job_id)
    return sight.job


def _question(credentials: Credentials, job_id: str, *, after: int | None = None) -> Question:
    """Whatever a path may hold, the database is asked for ids only."""
    asked = job_id if looks_like_id(job_id) else ""
    return Question(job_id=asked, key_hash=credentials.key_hash, session_hash=credentials.session_hash, after=after)


def _strike(beat: asyncio.Future[None]) -> None:
    if not beat.done():
        beat.set_result(None)
