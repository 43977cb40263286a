"""A store that takes its time."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from export_pipelines.core.frozen import Segment
from export_pipelines.storage.local import LocalStore


class SlowStore(LocalStore):
    """Waits before it opens or publishes anything whose key has one of the words in it."""

    seconds = 0.0
    words: tuple[str, ...] = ()

    def open(self, key: str, **run: Any) -> AbstractContextManager[BinaryIO]:
        self._wait(key)
        return super().open(key, **run)

    def compose(self, key: str, segments: Sequence[Segment], **how: Any) -> None:
        self._wait(key)
        super().compose(key, segments, **how)

    def _wait(self, key: str) -> None:
        if any(word in key for word in self.words):
            time.sleep(self.seconds)
