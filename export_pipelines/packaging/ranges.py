"""SHA-256 of a whole stream and of runs of it, in one pass."""

import hashlib
from collections.abc import Iterable


class RangeDigests:
    """Hashes what lies between given offsets while the stream goes by."""

    def __init__(self, bounds: Iterable[int]) -> None:
        self._bounds = sorted({0, *bounds})
        self._digests = [hashlib.sha256() for _ in self._bounds]
        self._current = 0
        self._whole = hashlib.sha256()
        self.size = 0

    @property
    def whole(self) -> str:
        """Hex digest of everything."""
        return self._whole.hexdigest()

    def update(self, block: bytes) -> None:
        """Take the next bytes."""
        self._whole.update(block)
        view = memoryview(block)
        while view:
            taken = view[: self._room()]
            self._digests[self._current].update(taken)
            self.size += len(taken)
            view = view[len(taken) :]

    def digests(self) -> dict[int, str]:
        """Hex digest of every run, by the offset it begins at; it goes up to the next bound."""
        return {at: digest.hexdigest() for at, digest in zip(self._bounds, self._digests, strict=True)}

    def _room(self) -> int | None:
        """Bytes up to the next bound, None behind the last one; moves on to the run that the next byte is in."""
        while self._current + 1 < len(self._bounds) and self._bounds[self._current + 1] <= self.size:
            self._current += 1
        following = self._bounds[self._current + 1 : self._current + 2]
        return following[0] - self.size if following else None
