"""Runs of deflate, whole bytes each, that make one legal stream when joined with a final block behind them.

libdeflate makes complete streams only, so each block's stream is reopened (RFC 1951, section 3.2.3): the first bit says
that its first block is the last, and is cleared; an empty stored block behind it leads to the next whole byte. Where
that begins depends on how many bits of the last byte are padding, which nothing in the stream says: the byte's value
rules wide padding out in three cases of ten, and inflating decides the others.
"""

import struct

import deflate

from export_pipelines.packaging.deflating import END_OF_STREAM, deflate_whole

BLOCK_BYTES = 48 * 1024
"""Deflated at once, of which libdeflate makes one block, unless the text has very many short matches.

It ends a block after 8192 of them, and what makes two blocks is deflated again in halves. Of 64 KB, half of all pieces
of JSON and nearly all of Markdown are of that kind; of 48 KB none, and they pack as well in a third less time.
"""

_NOT_WORTH_DEFLATING = 512
"""Fewer bytes are stored: what stands above a dialogue has little to gain, and a call costs 6 us and more."""

# Of an empty stored block: its three bits, unless the padding holds them, and the length 0 twice.
_BEHIND_WIDE_PADDING = b"\x00\x00\xff\xff"
_BEHIND_NARROW_PADDING = b"\x00" + _BEHIND_WIDE_PADDING
_WIDE_PADDING_BELOW = 1 << 5

_stored_head = struct.Struct("<BHH").pack


def reopened(stream: bytes | bytearray, size: int) -> bytes | None:
    """The complete stream of ``size`` bytes of content as a run; None when it has more than one block."""
    if not stream[0] & 1:
        return None
    run = bytearray(stream)
    run[0] &= 0xFE
    if run[-1] < _WIDE_PADDING_BELOW and _inflates(run + _BEHIND_WIDE_PADDING, size):
        return bytes(run + _BEHIND_WIDE_PADDING)
    return bytes(run + _BEHIND_NARROW_PADDING)


def _inflates(run: bytearray, size: int) -> bool:
    """Whether the run ends where it should: read with the wrong padding, its last bytes are a damaged block."""
    try:
        deflate.deflate_decompress(run + END_OF_STREAM, size)
    except deflate.DeflateError:
        return False
    return True


def run_of(data: bytes) -> bytes:
    """The data as a run; the same data gives the same run."""
    size = len(data)
    if size < _NOT_WORTH_DEFLATING:
        return _stored_head(0, size, size ^ 0xFFFF) + data
    run = reopened(deflate_whole(data), size)
    if run is None:
        half = size // 2
        return run_of(data[:half]) + run_of(data[half:])
    return run


class RunDeflater:
    """Makes one long run from pieces; how they were cut makes no difference."""

    def __init__(self) -> None:
        self._waiting = b""

    def compress(self, data: bytes) -> bytes:
        """What is ready of the run after taking ``data``: all whole blocks."""
        waiting = self._waiting + data
        if len(waiting) < BLOCK_BYTES:
            self._waiting = waiting
            return b""
        whole = len(waiting) - len(waiting) % BLOCK_BYTES
        self._waiting = waiting[whole:]
        return b"".join([run_of(waiting[at : at + BLOCK_BYTES]) for at in range(0, whole, BLOCK_BYTES)])

    def end(self) -> bytes:
        """The rest of the run."""
        waiting, self._waiting = self._waiting, b""
        return run_of(waiting) if waiting else b""
