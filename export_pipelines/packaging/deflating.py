"""Deflate, the only place that chooses how: whole pieces, and back again.

The choice. The same data must give the same file on every machine, and `isal`, the fastest, does not: its code is
picked by the processor. Compared under emulation (x86-64 without SSE4.2, Nehalem, Sandy Bridge, Haswell, native with
AVX-512; arm64 Cortex-A57 and newer), isal's levels 0 to 2 agree on x86 with SSE4.2 only and differ on arm64, level 3
differs with AVX2. libdeflate, zlib-ng, zlib and zstandard gave one result everywhere. (zlib itself is whatever the
system brings, so two distributions may differ; the others are pinned by the lock file.)

Speed and ratio, documents of 5.1 KB one at a time | lines of JSON in blocks of 64 KB, on one busy core:

    isal 1          308 MB/s at 2.52    638 MB/s at 3.54
    libdeflate 1    199 MB/s at 2.58    329 MB/s at 3.73
    zlib-ng 1       287 MB/s at 1.86    403 MB/s at 2.65
    zlib-ng 2       125 MB/s at 2.54    224 MB/s at 3.60

So everything goes through libdeflate 1. It has no streams; :mod:`~export_pipelines.packaging.deflate_runs` makes them
of its blocks. zlib-ng 1 is faster and has streams, but its files are 40 % larger, and its bytes depend on how the input
is cut. Inflating and CRC-32 have one right answer: isal.
"""

from collections.abc import Iterable, Iterator

import deflate
from isal import isal_zlib

from export_pipelines.core.errors import IntegrityError

RAW = -15
END_OF_STREAM = b"\x03\x00"
"""A final block without content: what closes a deflate stream that is made of runs."""

crc32 = isal_zlib.crc32
"""``crc32(data, value=0)``, as ZIP and gzip use it."""

InflateError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub calls the class an instance
"""What isal raises for damaged data."""

crc32_combine = isal_zlib.crc32_combine
"""``crc32_combine(first, second, second_size)``: the CRC-32 of two runs of bytes joined, from theirs."""


def deflate_whole(data: bytes) -> bytearray:
    """One complete raw deflate stream."""
    return deflate.deflate_compress(data, 1)


def inflate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of exactly one raw deflate stream.

    Raises:
        IntegrityError: the stream is damaged, unfinished, or has bytes behind its end.
    """
    stream = isal_zlib.decompressobj(RAW)
    try:
        for chunk in chunks:
            yield stream.decompress(chunk)
            if stream.unused_data:
                raise IntegrityError("the deflate stream ends before its data does")
    except InflateError as error:
        raise IntegrityError(f"the deflate stream is damaged: {error}") from error
    if not stream.eof:
        raise IntegrityError("the deflate stream is cut off")
