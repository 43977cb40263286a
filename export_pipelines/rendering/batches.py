"""Many small runs of bytes joined into chunks that are worth a call to compressor and disk."""

from collections.abc import Iterable, Iterator

from export_pipelines.rendering.fields import damaged_rows_named

BATCH_ROWS = 64
"""Rows a chunk: a few hundred KB for transcripts of a usual size, which a processor's cache still holds."""


def joined(rows: Iterable[tuple[bytes, ...]]) -> Iterator[bytes]:
    """The pieces of all rows in order, in chunks of :data:`BATCH_ROWS` rows.

    Raises:
        IntegrityError: a frozen field is not what its column says.
    """
    held: list[bytes] = []
    count = 0
    with damaged_rows_named():
        for pieces in rows:
            held += pieces
            count += 1
            if count == BATCH_ROWS:
                yield b"".join(held)
                held.clear()
                count = 0
    if held:
        yield b"".join(held)
