"""Runs of deflate, whole bytes each, that make one legal stream when joined with a final block behind them.

libdeflate makes complete streams only, so each block's stream is reopened (RFC 1951, section 3.2.3): the first bit says
that its first block is the last, and is cleared; an empty stored block behind it leads to the next whole byte. Where
that begins depends on how many bits of the last byte are padding, which nothing in the stream says: the byte's value
rules wide padding out in three cases of ten, and inflating decides the others.
"""

import struct

import deflate

from export_pipelines.packaging.deflating import END_OF_STREAM, deflate_whole

BLOCK_BYTES = 64 * 1024 - 1
"""Deflated at once, of which libdeflate makes one block, unless the text has very many short matches."""

_NOT_WORTH_DEFLATING = 512
"""Fewer bytes are stored: what stands above a dialogue has little to gain, and a call costs 6 us and more."""

_READY_BYTES = 64 * 1024
"""Deflated bytes that are handed over at once."""

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
    """Makes one long run from pieces; how they were cut makes no difference, where a run was spliced in does."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._size = 0
        self._ready = bytearray()

    def compress(self, data: bytes) -> bytes:
        """What is ready of the run after taking ``data``; mostly nothing."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size < BLOCK_BYTES:
            return b""
        waiting = b"".join(self._waiting)
        whole = len(waiting) - len(waiting) % BLOCK_BYTES
        for at in range(0, whole, BLOCK_BYTES):
            self._ready += run_of(waiting[at : at + BLOCK_BYTES])
        self._waiting, self._size = [waiting[whole:]], len(waiting) - whole
        return self._passed_on()

    def splice(self, data: bytes, stream: bytes | bytearray) -> bytes:
        """As ``compress``, for data that was deflated elsewhere already, to that complete stream."""
        run = reopened(stream, len(data))
        if run is None:
            return self.compress(data)
        self._close_block()
        self._ready += run
        return self._passed_on()

    def end(self) -> bytes:
        """The rest of the run."""
        self._close_block()
        ready, self._ready = bytes(self._ready), bytearray()
        return ready

    def _close_block(self) -> None:
        if self._size:
            self._ready += run_of(b"".join(self._waiting))
            self._waiting, self._size = [], 0

    def _passed_on(self) -> bytes:
        if len(self._ready) < _READY_BYTES:
            return b""
        ready, self._ready = bytes(self._ready), bytearray()
        return ready
