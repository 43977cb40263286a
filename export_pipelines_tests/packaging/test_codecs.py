"""Codecs: what goes in comes out, however it was cut, and the bytes are the same everywhere."""

import gzip
import hashlib
import io
import subprocess
import sys
import zlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError, ValidationError
from export_pipelines.packaging.codecs import CODECS, GZIP_BLOCK, blocks, compress, decompress

CHUNKS = st.lists(st.binary(max_size=3000) | st.sampled_from([b"", b"a" * 70_000]), max_size=8)


def packed(chunks: list[bytes], codec: str) -> bytes:
    return b"".join(compress(chunks, codec))


def unpacked(data: bytes, codec: str, *, cut: int = 1 << 16) -> bytes:
    return b"".join(decompress((data[at : at + cut] for at in range(0, len(data), cut)), codec))


@pytest.mark.parametrize("codec", CODECS)
@given(chunks=CHUNKS, cut=st.integers(1, 5000))
def test_what_goes_in_comes_out(codec, chunks, cut) -> None:
    assert unpacked(packed(chunks, codec), codec, cut=cut) == b"".join(chunks)


@pytest.mark.parametrize("codec", CODECS)
@given(chunks=CHUNKS)
def test_how_the_input_was_cut_makes_no_difference(codec, chunks) -> None:
    assert packed(chunks, codec) == packed([b"".join(chunks)], codec)


@pytest.mark.parametrize("codec", CODECS)
@given(first=CHUNKS, second=CHUNKS)
def test_what_was_compressed_apart_can_be_laid_one_behind_the_other(codec, first, second) -> None:
    joined = packed(first, codec) + packed(second, codec)
    assert unpacked(joined, codec) == b"".join(first + second)


@given(chunks=CHUNKS, more=CHUNKS)
def test_other_programs_read_the_joined_members_and_frames(chunks, more) -> None:
    content = b"".join(chunks + more)
    assert gzip.decompress(packed(chunks, "gzip") + packed(more, "gzip")) == content
    joined = packed(chunks, "zstd") + packed(more, "zstd")
    assert pa.CompressedInputStream(io.BytesIO(joined), "zstd").read() == content


@given(chunks=CHUNKS, size=st.integers(1, 4000))
def test_blocks_all_have_the_size_but_the_last(chunks, size) -> None:
    found = list(blocks(chunks, size))
    assert b"".join(found) == b"".join(chunks)
    assert all(len(block) == size for block in found[:-1])
    assert not found or 0 < len(found[-1]) <= size


def test_gzip_says_nothing_about_when_and_where() -> None:
    data = packed([b"x" * (GZIP_BLOCK + 1)], "gzip")
    assert data[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x04\xff"


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_an_empty_stream_is_still_a_readable_file(codec) -> None:
    assert packed([], codec)
    assert unpacked(packed([], codec), codec) == b""


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_file_that_was_cut_off_is_an_error(codec) -> None:
    data = packed([bytes(range(256)) * 50], codec)
    for size in (1, 5, len(data) // 2, len(data) - 1):
        with pytest.raises(IntegrityError, match=r"cut off|damaged"):
            unpacked(data[:size], codec)


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_changed_byte_is_an_error_or_was_no_content(codec) -> None:
    content = b"".join(f"line {number}\n".encode() for number in range(500))
    data = packed([content], codec)
    for at in range(0, len(data), 7):
        changed = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
        try:
            assert unpacked(changed, codec) == content, f"byte {at}"
        except IntegrityError:
            continue


def test_an_unknown_codec_is_refused_before_anything_is_read() -> None:
    with pytest.raises(ValidationError, match=r"'lzma'.*none, gzip, zstd"):
        compress([], "lzma")
    with pytest.raises(ValidationError, match="'lzma'"):
        decompress([], "lzma")


TEXT = b"".join(b"%d green bottles, %d of them accidentally falling\n" % (n, n * n % 97) for n in range(9000))


@pytest.mark.parametrize(
    ("codec", "digest"),
    [
        ("gzip", "0d5634a7afa1fda7079b542d5ca4bc2490f9a4a14121876e4956710f393b062c"),
        ("zstd", "97cb77cc682f630eaf1515b25ed62055bbda174e6b5e925f3ee1e66f5c87f879"),
    ],
)
def test_the_bytes_are_those_of_every_machine(codec, digest) -> None:
    # Seen alike on x86-64 from the oldest to AVX-512 and on arm64. A new release of a library may change them: then
    # files differ from before, which is worth knowing, and these digests are to be renewed.
    assert hashlib.sha256(packed([TEXT], codec)).hexdigest() == digest


def test_time_zone_locale_and_hash_seed_change_no_byte() -> None:
    program = (
        "import sys, zlib\n"
        "from export_pipelines.packaging.codecs import CODECS, compress\n"
        "data = [b'%d,caf\\xc3\\xa9\\n' % n for n in range(5000)]\n"
        "print([zlib.crc32(b''.join(compress(data, codec))) for codec in CODECS])\n"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True).stdout
        for env in (
            {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
            {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"},
        )
    }
    assert len(outputs) == 1


def test_gzip_compresses_text_about_as_well_as_zlib() -> None:
    assert len(packed([TEXT], "gzip")) < 1.1 * len(zlib.compress(TEXT, 1))
