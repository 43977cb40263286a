"""One job in two halves: what one thread makes, another takes, a few megabytes behind.

Reading and rendering stay on the caller's thread, which owns the connection and hears when the run is terminated;
compressing, hashing and writing let go of the interpreter, so they cost the first half next to nothing on a second
core. A store that is slow holds the maker up, and through it PostgreSQL: nothing piles up in memory.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

AHEAD_BYTES = 4 << 20
"""How far the maker may be ahead: more than the bursts of either half, and little beside one process's memory."""


def taken_behind(
    items: Iterable[Item],
    take: Callable[[Iterator[Item]], Made],
    *,
    size: Callable[[Item], int],
    ahead_bytes: int = AHEAD_BYTES,
) -> Made:
    """Go through the items here and hand them, in their order, to ``take`` on another thread; what it returns.

    An error of either half ends both, and is raised here; the other thread has ended by then.
    """
    pipe: _Pipe[Item] = _Pipe(size=size, ahead_bytes=ahead_bytes)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="behind") as pool:
        # Leaving the pool waits for the taker: wherever this thread is interrupted, the taker has to hear of it.
        try:
            taker = pool.submit(pipe.feed, take)
            for item in items:
                if not pipe.put(item):
                    break
            pipe.end()
        except BaseException:
            pipe.give_up()
            raise
        return taker.result()


class _GivenUpError(Exception):
    """Unwinds the taker when the maker has failed; nobody sees it."""


class _Pipe(Generic[Item]):
    """Holds what was made and not yet taken."""

    def __init__(self, *, size: Callable[[Item], int], ahead_bytes: int) -> None:
        self._size = size
        self._limit = ahead_bytes
        self._items: deque[Item] = deque()
        self._held = 0
        self._changed = threading.Condition()
        self._ended = self._given_up = self._taker_gone = False

    def put(self, item: Item) -> bool:
        """Add an item, once there is room for it; False when nobody takes any more."""
        with self._changed:
            while self._held >= self._limit and not self._taker_gone:
                self._changed.wait()
            self._items.append(item)
            self._held += self._size(item)
            self._changed.notify_all()
            return not self._taker_gone

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def give_up(self) -> None:
        """Nothing more comes, and what came is worth nothing."""
        with self._changed:
            self._given_up = True
            self._changed.notify_all()

    def feed(self, take: Callable[[Iterator[Item]], Made]) -> Made:
        """The other thread's whole work."""
        try:
            return take(self._taken())
        finally:
            with self._changed:
                self._taker_gone = True
                self._changed.notify_all()

    def _taken(self) -> Iterator[Item]:
        while True:
            with self._changed:
                while not self._items and not self._ended and not self._given_up:
                    self._changed.wait()
                if self._given_up:
                    raise _GivenUpError
                if not self._items:
                    return
                item = self._items.popleft()
                self._held -= self._size(item)
                self._changed.notify_all()
            yield item
