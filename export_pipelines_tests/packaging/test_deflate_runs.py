"""Runs made of libdeflate's streams: joined in any order, every inflater reads them as one stream."""

import hashlib
import random
import zlib

import deflate
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from isal import isal_zlib

from export_pipelines.packaging.deflate_runs import BLOCK_BYTES, RunDeflater, reopened, run_of
from export_pipelines.packaging.deflating import END_OF_STREAM, RAW, deflate_whole

WORDS = ("the ", "**Probe:** ", "\n\n", "é", "scenario", "0", "\\n", '", "', "a" * 300)
TEXT = st.lists(st.sampled_from(WORDS), max_size=600).map(lambda words: "".join(words).encode())
NOISE = st.builds(lambda seed, size: random.Random(seed).randbytes(size), st.integers(0, 99), st.integers(0, 140_000))
DATA = st.binary(max_size=2000) | TEXT | NOISE


def read(stream: bytes) -> bytes:
    """As three inflaters have it, that end where the stream does."""
    found = set()
    for library in (zlib, isal_zlib):
        reader = library.decompressobj(RAW)
        found.add(reader.decompress(stream))
        assert reader.eof
        assert not reader.unused_data
    (content,) = found
    assert deflate.deflate_decompress(stream, len(content)) == content
    return content


def run(pieces: list[bytes]) -> bytes:
    deflater = RunDeflater()
    return b"".join([*(deflater.compress(piece) for piece in pieces), deflater.end()])


@given(first=DATA, second=DATA)
@example(first=bytes(BLOCK_BYTES + 1), second=b"")
@example(first=random.Random(1).randbytes(2 * BLOCK_BYTES), second=b"x")
def test_runs_join_in_any_order(first, second) -> None:
    one, other = run_of(first), run_of(second)
    assert read(one + other + one + END_OF_STREAM) == first + second + first
    assert read(other + END_OF_STREAM) == second


@given(data=DATA)
def test_a_stream_of_one_block_is_reopened_without_deflating_again(data) -> None:
    stream = deflate_whole(data)
    run = reopened(stream, len(data))
    if run is None:
        assert len(data) > 32_000
    else:
        assert run[1 : len(stream)] == stream[1:]
        assert read(run + run + END_OF_STREAM) == data + data


def test_padding_of_every_width_is_recognized() -> None:
    # Texts that grow by a letter end at every bit of a byte; the marker of wide padding is a byte shorter.
    rng, text, behind = random.Random(3), b"", set()
    for _ in range(600):
        text += rng.choice(b"etaoin shrdlu").to_bytes()
        stream = deflate_whole(text)
        run = reopened(stream, len(text))
        assert run is not None
        assert read(run + END_OF_STREAM) == text
        behind.add((len(run) - len(stream), stream[-1] < 1 << 5))
    assert behind == {(4, True), (5, True), (5, False)}


def test_a_text_that_makes_several_blocks_is_halved() -> None:
    rng = random.Random(5)
    # Matches as short as they can be: libdeflate ends a block after 8192 of them.
    grams = [rng.randbytes(4) for _ in range(300)]
    text = b"".join(rng.choice(grams) + rng.randbytes(1) for _ in range(BLOCK_BYTES // 5))
    assert reopened(deflate_whole(text), len(text)) is None
    assert read(run_of(text) + END_OF_STREAM) == text


@given(pieces=st.lists(DATA, max_size=6))
def test_how_a_run_was_cut_into_pieces_makes_no_difference(pieces) -> None:
    together = b"".join(pieces)
    assert run(pieces) == run([together])
    assert read(run(pieces) + END_OF_STREAM) == together


@pytest.mark.parametrize("size", [0, 1, 511, 512, BLOCK_BYTES, BLOCK_BYTES + 1])
def test_little_is_stored_and_much_is_cut_into_blocks(size) -> None:
    data = (b"%d bottles, " * 9000)[:size]
    assert read(run([data]) + END_OF_STREAM) == data
    assert (data in run([data])) == (size < 512)


LINES = b"".join(b"%d green bottles, %d of them accidentally falling\n" % (n, n * n % 97) for n in range(4000))


def test_the_bytes_are_those_of_every_machine() -> None:
    # As for the codecs: renew after a deliberate change of library, or of the size of blocks.
    assert (
        hashlib.sha256(run([LINES])).hexdigest() == "f02d6792b709d928dd9b15a6f2c4d5adafafcdecb7803893d5da26c987b570d6"
    )
