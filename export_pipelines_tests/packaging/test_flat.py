"""Flat files: head, parts by shard, tail."""

import gzip
import hashlib

from export_pipelines.core.frozen import Segment
from export_pipelines.packaging.codecs import compress
from export_pipelines.packaging.flat import lay_out
from export_pipelines_tests.packaging.memory_staging import MemoryStaging


def test_pieces_lie_in_order_and_shards_know_their_bytes() -> None:
    staging = MemoryStaging()
    parts = [staging.flat_part(index, b"row\n" * index, records=index) for index in (2, 0, 1)]
    laid = lay_out(parts=parts, head=staging.put("head", b"h\n"), tail=staging.put("tail", b"t\n"))
    data = staging.join(laid.segments)
    assert data == b"h\nrow\nrow\nrow\nt\n"
    assert laid.size == len(data)
    assert laid.records == 3
    assert [(shard.index, shard.offset, shard.size, shard.records) for shard in laid.shards] == [
        (0, 2, 0, 0),
        (1, 2, 4, 1),
        (2, 6, 8, 2),
    ]
    for shard in laid.shards:
        assert shard.sha256 == hashlib.sha256(data[shard.offset : shard.offset + shard.size]).hexdigest()


def test_an_empty_head_or_tail_leaves_no_segment() -> None:
    staging = MemoryStaging()
    part = staging.flat_part(0, b"x", records=1)
    assert lay_out(parts=[part]).segments == (Segment(key="part-0", offset=0, size=1),)
    assert lay_out(parts=[part], head=staging.put("head", b""), tail=staging.put("tail", b"")).size == 1


def test_compressed_pieces_join_to_a_compressed_file() -> None:
    staging = MemoryStaging()
    head, body = (b"".join(compress([text], "gzip")) for text in (b"a,b\n", b"1,2\n"))
    laid = lay_out(parts=[staging.flat_part(0, body, records=1)], head=staging.put("head", head))
    assert gzip.decompress(staging.join(laid.segments)) == b"a,b\n1,2\n"
