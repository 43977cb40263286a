"""Size and SHA-256 of a stream of bytes, kept while it passes."""

import hashlib

from export_pipelines.core.frozen import StagedObject

Bytes = bytes | bytearray | memoryview


class Tally:
    """Counts and hashes what a writer takes for one key."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._size = 0
        self._hash = hashlib.sha256()

    def add(self, data: Bytes) -> int:
        """Count the bytes; returns how many they are."""
        size = memoryview(data).nbytes
        self._hash.update(data)
        self._size += size
        return size

    @property
    def staged(self) -> StagedObject:
        """Key, size and SHA-256 of everything so far."""
        return StagedObject(key=self._key, size=self._size, sha256=self._hash.hexdigest())
