"""Asking from an event loop: all who ask while a statement is under way share the next one.

However many ask, one connection serves them, and each look at the database is as fresh as the one who asked last:
nothing is remembered from one statement to the next, least of all who may see what.
"""

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from typing import Any

import psycopg

from export_pipelines.core.errors import DatabaseUnavailableError, ExportPipelinesError
from export_pipelines.db.database import Database
from export_pipelines.db.watching.records import Question, Sight
from export_pipelines.db.watching.statement import look

STATEMENT_SECONDS = 5.0
"""What a statement may take, the connecting before it included; nobody who asks waits longer than twice that."""
MOST_TOGETHER = 200
MOST_WAITING = 5_000
"""A database that is so far behind has no use for more questions."""

_ENDED = "The watching has ended."
_Asked = tuple[Question, "asyncio.Future[Sight]"]


class Watcher:
    """Answers questions about jobs; belongs to one event loop."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[_Asked] = []
        self._at_work: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None

    async def ask(self, question: Question) -> Sight:
        """What the caller may see of the job at this moment.

        Raises:
            DatabaseUnavailableError: the database is away, or takes too long.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise DatabaseUnavailableError(
                f"{MOST_WAITING} questions about jobs wait for the database {self._database.place}; ask again later."
            )
        answer: asyncio.Future[Sight] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._work())
        return await answer

    async def close(self) -> None:
        """Let go of the connection; who still waits gets an error. The watcher stays usable."""
        if self._at_work is not None:
            self._at_work.cancel()
            await asyncio.gather(self._at_work, return_exceptions=True)
        # What was ended before it had begun has told nobody.
        _answer_all(self._waiting, DatabaseUnavailableError(_ENDED))
        self._waiting.clear()
        await self._hang_up()

    async def _work(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            try:
                sights = await self._look([question for question, _ in together])
            except ExportPipelinesError as error:
                _answer_all(together, error)
            except BaseException as error:
                # A bug, or the end of the process: those who wait must not wait for ever.
                _answer_all([*together, *self._waiting], error)
                self._waiting.clear()
                raise
            else:
                for (_, answer), sight in zip(together, sights, strict=True):
                    if not answer.done():
                        answer.set_result(sight)

    async def _look(self, questions: Sequence[Question]) -> list[Sight]:
        with self._database.translated():
            try:
                async with asyncio.timeout(STATEMENT_SECONDS):
                    return await self._look_again_when_cut_off(questions)
            except TimeoutError as error:
                await self._hang_up()
                raise DatabaseUnavailableError(
                    f"The database {self._database.place} did not answer within {STATEMENT_SECONDS:.0f} s."
                ) from error

    async def _look_again_when_cut_off(self, questions: Sequence[Question]) -> list[Sight]:
        """A connection from before a restart of the server is found out by using it."""
        if self._connection is not None and not self._connection.closed:
            try:
                return await look(self._connection, self._database, questions, now=self._clock())
            except (psycopg.OperationalError, psycopg.InterfaceError):
                await self._hang_up()
        self._connection = await self._database.async_connection(statement_timeout_ms=int(STATEMENT_SECONDS * 1000))
        return await look(self._connection, self._database, questions, now=self._clock())

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _answer_all(asked: Sequence[_Asked], error: BaseException) -> None:
    ours = error if isinstance(error, ExportPipelinesError) else DatabaseUnavailableError(_ENDED)
    for _, answer in asked:
        if not answer.done():
            # An error of its own for each: raising one adds to its traceback.
            answer.set_exception(copy(ours))
