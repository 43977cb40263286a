"""Deflate: whole pieces, and checksums that join."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.deflating import (
    RAW,
    crc32,
    crc32_combine,
    deflate_whole,
    inflate,
)

DATA = st.binary(max_size=5000)


@given(data=DATA)
def test_zlib_reads_a_whole_piece(data) -> None:
    assert zlib.decompress(deflate_whole(data), RAW) == data


@given(first=DATA, second=DATA)
def test_the_crc_of_two_runs_joined_follows_from_theirs(first, second) -> None:
    assert crc32(first + second) == zlib.crc32(first + second)
    assert crc32_combine(crc32(first), crc32(second), len(second)) == zlib.crc32(first + second)


def test_the_crc_joins_runs_of_more_than_four_gigabytes() -> None:
    # Appending zeros n times in two steps or in one is the same; 5 GiB of them are never made.
    zeros = {0: 0, 20: zlib.crc32(bytes(1 << 20))}
    for power in range(20, 33):
        zeros[power + 1] = crc32_combine(zeros[power], zeros[power], 1 << power)
    five = crc32_combine(zeros[32], zeros[30], 1 << 30)
    assert five == crc32_combine(zeros[30], zeros[32], 1 << 32)


@given(data=st.binary(min_size=1, max_size=3000), cut=st.integers(1, 400))
def test_inflating_gives_the_content_however_the_stream_is_cut(data, cut) -> None:
    packed = bytes(deflate_whole(data))
    assert b"".join(inflate(packed[at : at + cut] for at in range(0, len(packed), cut))) == data


def test_inflating_refuses_what_is_cut_off_too_long_or_damaged() -> None:
    packed = bytes(deflate_whole(b"some words, and some words again" * 20))
    for wrong, reason in ((packed[:-3], "cut off"), (packed + b"x", "ends before"), (b"\x07" + packed, "damaged")):
        with pytest.raises(IntegrityError, match=reason):
            list(inflate([wrong]))


TEXT = b"".join(b"%d green bottles, %d of them accidentally falling\n" % (n, n * n % 97) for n in range(4000))


def test_the_bytes_are_those_of_every_machine() -> None:
    # As for the codecs: renew after a deliberate change of library.
    assert (
        hashlib.sha256(deflate_whole(TEXT)).hexdigest()
        == "3931e44f9409776cae61aa258923509dba1d9b2688f99905775a5327b8103afe"
    )
