"""Deflate, the only place that chooses how: whole pieces, runs that continue each other, and back again.

The choice. The same data must give the same file on every machine, and `isal`, the fastest, does not: its code is
picked by the processor. Compared under emulation (x86-64 without SSE4.2, Nehalem, Sandy Bridge, Haswell, native with
AVX-512; arm64 Cortex-A57 and newer), isal's levels 0 to 2 agree on x86 with SSE4.2 only and differ on arm64, level 3
differs with AVX2. libdeflate, zlib-ng, zlib and zstandard gave one result everywhere. (zlib itself is whatever the
system brings, so two distributions may differ; the others are pinned by the lock file.)

Speed and ratio, documents of 5.5 KB one at a time | JSON in blocks of 256 KB, on one busy core:

    isal 1          208 MB/s at 2.04    404 MB/s at 2.50
    libdeflate 1    118 MB/s at 2.07    178 MB/s at 2.66
    zlib-ng 1       155 MB/s at 1.47    239 MB/s at 1.86
    zlib-ng 2        72 MB/s at 2.05    121 MB/s at 2.61
    zlib 1           62 MB/s at 1.99     89 MB/s at 2.44

So whole pieces go through libdeflate 1. It has no streams, so runs go through zlib-ng 2. Its level 1 is faster still,
but files grow by 40 %, and its bytes depend on how the input is cut. Inflating and CRC-32 have one right answer: isal.
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
