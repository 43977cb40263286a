"""Writing an S3 object in a stream: small ones in one request, large ones as a multipart upload."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from export_pipelines.core.frozen import StagedObject
from export_pipelines.storage.s3_plan import MIB
from export_pipelines.storage.s3_upload import Target, Upload, multipart, put
from export_pipelines.storage.tally import Bytes, Tally

PART_BYTES = 8 * MIB
_PARTS_OF_ONE_SIZE = 1000
"""Parts grow by 8 MiB every thousand: 10 000 of them hold 430 GiB, and nobody below 8 GiB needs larger buffers."""


class S3Writer:
    """Collects one part's bytes at a time, hashing on the way."""

    def __init__(self, target: Target, stack: ExitStack, *, key: str) -> None:
        self._target = target
        self._stack = stack
        self._tally = Tally(key)
        self._buffer = bytearray()
        self._upload: Upload | None = None

    def write(self, data: Bytes, /) -> int:
        """Take more bytes; waits while the network is behind."""
        view = memoryview(data).cast("B")
        while view:
            space = self._part_bytes() - len(self._buffer)
            self._buffer += view[:space]
            if len(view) >= space:
                self._send_part()
            view = view[space:]
        return self._tally.add(data)

    @property
    def staged(self) -> StagedObject:
        """Key, size and SHA-256 of what was written."""
        return self._tally.staged

    def finish(self) -> None:
        """Send what is left; a multipart upload completes when its context ends."""
        if self._upload is None:
            put(self._target, self._buffer)
        elif self._buffer:
            self._upload.send(self._buffer)

    def _part_bytes(self) -> int:
        return PART_BYTES * (1 + (self._upload.parts if self._upload else 0) // _PARTS_OF_ONE_SIZE)

    def _send_part(self) -> None:
        if self._upload is None:
            self._upload = self._stack.enter_context(multipart(self._target))
        # The buffer itself goes, not a copy of it.
        self._upload.send(self._buffer)
        self._buffer = bytearray()


@contextmanager
def s3_writer(target: Target, *, key: str) -> Iterator[S3Writer]:
    """A writer whose object appears when the block ends well, and never otherwise."""
    with ExitStack() as stack:
        writer = S3Writer(target, stack, key=key)
        yield writer
        writer.finish()
