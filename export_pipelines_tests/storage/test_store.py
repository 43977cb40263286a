"""What every store promises, asked of each of them."""

import hashlib
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from export_pipelines.core.errors import ExportPipelinesError, IntegrityError, NotFoundError, ValidationError
from export_pipelines.core.frozen import Segment
from export_pipelines.storage.store import ObjectStore

MIB = 1024 * 1024
TEXT = "text/plain"
UNICODE_KEYS = ["exports/ü/☃ snow.csv", "exports/日本語/отчёт #1 100%+?.csv", "exports/مرحبا/🎉&=;,'.csv"]
HOSTILE_KEYS = [
    "", "/", "/etc/passwd", "a//b", "a/", "/a", ".", "..", "../a", "a/../b", "a/./b", "a/..", "a\\b", "a\0b", "a\nb",
    "\ud800", "x" * 201, "/".join(["y" * 100] * 9), ".incomplete/a",
]  # fmt: skip


def put(store: ObjectStore, key: str, data: bytes = b"data") -> None:
    with store.writer(key) as writer:
        writer.write(data)


def get(store: ObjectStore, key: str, *, offset: int = 0, size: int | None = None) -> bytes:
    with store.open(key, offset=offset, size=size) as file:
        return file.read()


def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [facts.key for facts in store.list(prefix)]


def fail_while_writing(store: ObjectStore, key: str, size: int, error: type[BaseException]) -> None:
    with store.writer(key) as writer:
        writer.write(noise(size))
        raise error


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def test_what_is_written_is_read_back_with_its_facts(store: ObjectStore) -> None:
    with store.writer("a/b.txt", media_type=TEXT) as writer:
        assert writer.write(b"one ") == 4
        assert writer.write(bytearray(b"two ")) == 4
        assert writer.write(memoryview(b"three")) == 5
    assert (writer.staged.key, writer.staged.size) == ("a/b.txt", 13)
    assert writer.staged.sha256 == hashlib.sha256(b"one two three").hexdigest()
    assert get(store, "a/b.txt") == b"one two three"
    facts = store.stat("a/b.txt")
    assert facts is not None
    assert (facts.key, facts.size) == ("a/b.txt", 13)
    assert abs(datetime.now(UTC) - facts.modified_at) < timedelta(minutes=5)
    assert facts.modified_at.utcoffset() == timedelta(0)


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    with store.writer("empty") as writer:
        pass
    assert writer.staged.sha256 == hashlib.sha256(b"").hexdigest()
    facts = store.stat("empty")
    assert facts is not None
    assert facts.size == 0
    assert get(store, "empty") == b""


@pytest.mark.parametrize("size", [8 * MIB - 1, 8 * MIB, 17 * MIB + 1])
def test_large_objects_keep_every_byte_however_they_are_cut(store: ObjectStore, size: int) -> None:
    data = noise(size)
    with store.writer("large") as writer:
        for start in range(0, size, 3_333_333):
            writer.write(data[start : start + 3_333_333])
    assert writer.staged.sha256 == hashlib.sha256(data).hexdigest()
    assert get(store, "large") == data


def test_a_single_huge_write_is_taken_in_parts(store: ObjectStore) -> None:
    data = noise(18 * MIB)
    put(store, "large", data)
    assert get(store, "large") == data


@pytest.mark.parametrize("size", [5, 9 * MIB])
def test_nothing_is_visible_before_the_block_ends(store: ObjectStore, size: int) -> None:
    with store.writer("later/x") as writer:
        writer.write(noise(size))
        assert store.stat("later/x") is None
        assert keys(store) == []
        with pytest.raises(NotFoundError):
            get(store, "later/x")
    assert keys(store) == ["later/x"]


@pytest.mark.parametrize("size", [5, 17 * MIB])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_nothing(store: ObjectStore, size: int, error: type[BaseException]) -> None:
    with pytest.raises(error):
        fail_while_writing(store, "never", size, error)
    assert store.stat("never") is None
    assert keys(store) == []
    # Nor anything unfinished.
    assert store.abort_unfinished("", older_than=datetime.now(UTC) + timedelta(days=1)) == 0


def test_unfinished_objects_that_somebody_may_go_on_with_are_spared(store: ObjectStore) -> None:
    asked: list[str] = []

    def spare(key: str) -> bool:
        asked.append(key)
        return key == "mine/x"

    def write_in_vain() -> None:
        with store.writer("theirs/y") as theirs:
            theirs.write(noise(9 * MIB))
            later = datetime.now(UTC) + timedelta(days=1)
            assert store.abort_unfinished("", older_than=later, spare=spare) == 1

    with store.writer("mine/x") as mine:
        mine.write(noise(9 * MIB))
        with pytest.raises(ExportPipelinesError):
            write_in_vain()
        mine.write(b"end")
    assert sorted(asked) == ["mine/x", "theirs/y"]
    assert get(store, "mine/x") == noise(9 * MIB) + b"end"
    assert keys(store) == ["mine/x"]


def test_an_operating_system_error_of_the_callers_own_passes_unchanged(store: ObjectStore) -> None:
    with pytest.raises(FileNotFoundError, match="mine"), store.writer("never"):
        raise FileNotFoundError("mine")
    assert keys(store) == []


@pytest.mark.parametrize("size", [3, 9 * MIB])
def test_writing_again_replaces_in_one_step(store: ObjectStore, size: int) -> None:
    put(store, "key", b"old")
    with store.writer("key") as writer:
        writer.write(b"n" * size)
        assert get(store, "key") == b"old"
    assert get(store, "key") == b"n" * size
    assert keys(store) == ["key"]


def test_a_failed_replacement_leaves_the_old_one(store: ObjectStore) -> None:
    put(store, "key", b"old")
    with pytest.raises(RuntimeError):
        fail_while_writing(store, "key", 9 * MIB, RuntimeError)
    assert get(store, "key") == b"old"


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [
        (0, None, b"0123456789"), (3, None, b"3456789"), (3, 4, b"3456"), (0, 0, b""), (5, 0, b""), (9, 1, b"9"),
        (8, 100, b"89"), (10, None, b""), (10, 5, b""), (999, None, b""), (999, 5, b""),
    ],
)  # fmt: skip
def test_ranges_are_read_as_asked(store: ObjectStore, offset: int, size: int | None, expected: bytes) -> None:
    put(store, "digits", b"0123456789")
    assert get(store, "digits", offset=offset, size=size) == expected


def test_reading_in_small_steps_gives_the_same_bytes(store: ObjectStore) -> None:
    data = noise(3 * MIB)
    put(store, "key", data)
    with store.open("key", offset=7, size=2 * MIB) as file:
        pieces = [file.read(1), file.read(100), file.read(MIB), *iter(lambda: file.read(70_001), b"")]
    assert b"".join(pieces) == data[7 : 7 + 2 * MIB]


@pytest.mark.parametrize(("offset", "size"), [(-1, None), (0, -1)])
def test_ranges_no_object_has_are_refused(store: ObjectStore, offset: int, size: int | None) -> None:
    put(store, "key")
    with pytest.raises(ValidationError, match="negative"):
        get(store, "key", offset=offset, size=size)


@pytest.mark.parametrize("size", [None, 0, 5])
def test_what_is_not_there_is_not_found(store: ObjectStore, size: int | None) -> None:
    assert store.stat("nowhere/at all") is None
    with pytest.raises(NotFoundError):
        get(store, "nowhere/at all", size=size)


def compose_case(store: ObjectStore, sizes: Iterable[int]) -> tuple[list[Segment], bytes]:
    """One staged object a size, each with bytes around the segment that must not come along."""
    segments, expected = [], b""
    for number, size in enumerate(sizes):
        data, key = noise(size, seed=number), f"staging/{number}"
        put(store, key, b"head" + data + b"tail")
        segments.append(Segment(key=key, offset=4, size=size))
        expected += data
    return segments, expected


@pytest.mark.parametrize(
    "sizes",
    [
        [], [0], [1], [0, 3, 0, 4, 0], [10] * 12, [6 * MIB], [5 * MIB], [5 * MIB - 1], [5 * MIB, 1], [1, 5 * MIB],
        [100, 6 * MIB, 50], [6 * MIB, 6 * MIB], [100, 12 * MIB, 17, 1 * MIB, 3 * MIB, 7 * MIB, 22],
        [3 * MIB, 3 * MIB, 3 * MIB],
    ],
    ids=lambda sizes: "-".join(map(str, sizes[:8])) or "none",
)  # fmt: skip
def test_segments_are_joined_in_order_byte_for_byte(store: ObjectStore, sizes: list[int]) -> None:
    segments, expected = compose_case(store, sizes)
    store.compose("final/file", segments, media_type=TEXT)
    assert get(store, "final/file") == expected
    assert keys(store, "final/") == ["final/file"]


def test_segments_of_one_object_may_come_in_any_order_and_twice(store: ObjectStore) -> None:
    data = noise(15 * MIB)
    put(store, "staging/x", data)
    cuts = [(10 * MIB, 5 * MIB), (0, 5 * MIB), (5 * MIB, 5 * MIB), (3, 7), (0, 6 * MIB), (10, 1)]
    segments = [Segment(key="staging/x", offset=offset, size=size) for offset, size in cuts]
    store.compose("final/file", segments, media_type=TEXT)
    assert get(store, "final/file") == b"".join(data[offset : offset + size] for offset, size in cuts)


def test_composing_again_replaces(store: ObjectStore) -> None:
    put(store, "final/file", b"old")
    segments, expected = compose_case(store, [6 * MIB, 3])
    store.compose("final/file", segments, media_type=TEXT)
    assert get(store, "final/file") == expected


@pytest.mark.parametrize("sizes", [[10], [6 * MIB]])
def test_a_missing_source_publishes_nothing(store: ObjectStore, sizes: list[int]) -> None:
    segments, _ = compose_case(store, sizes)
    with pytest.raises(NotFoundError):
        store.compose("final/x", [*segments, Segment(key="staging/gone", offset=0, size=1)], media_type=TEXT)
    assert keys(store, "final/") == []


@pytest.mark.parametrize("size", [10, 6 * MIB])
def test_a_source_that_is_too_short_publishes_nothing(store: ObjectStore, size: int) -> None:
    put(store, "staging/x", noise(size))
    with pytest.raises(IntegrityError, match="staging/x"):
        store.compose("final/x", [Segment(key="staging/x", offset=1, size=size)], media_type=TEXT)
    assert keys(store, "final/") == []
    assert store.abort_unfinished("final/", older_than=datetime.now(UTC) + timedelta(days=1)) == 0


class EndedError(Exception):
    """What ends the joining in the test below."""


@pytest.mark.parametrize("sizes", [[10, 10], [100, 6 * MIB, 50, 6 * MIB]], ids=["small", "large"])
def test_joining_that_is_ended_at_any_of_its_moments_publishes_nothing(store: ObjectStore, sizes: list[int]) -> None:
    segments, expected = compose_case(store, sizes)
    later = datetime.now(UTC) + timedelta(days=1)
    for allowed in range(20):
        asked = iter(range(allowed + 1))

        def proceed(asked: Iterator[int] = asked, allowed: int = allowed) -> None:
            if next(asked) == allowed:
                raise EndedError

        try:
            store.compose("final/x", segments, media_type=TEXT, proceed=proceed)
        except EndedError:
            assert keys(store, "final/") == []
            assert store.abort_unfinished("final/", older_than=later) == 0
            continue
        break
    assert allowed > 0
    assert get(store, "final/x") == expected


def test_listing_is_by_prefix_and_in_order_of_keys(store: ObjectStore) -> None:
    names = ["a/b", "a.txt", "a/z/y", "a-b/c", "ab", "a/B", "b/ü", "b/z", "a/z.txt"]
    for name in names:
        put(store, name)
    assert keys(store) == sorted(names)
    assert keys(store, "a/") == ["a/B", "a/b", "a/z.txt", "a/z/y"]
    assert keys(store, "a/z") == ["a/z.txt", "a/z/y"]
    assert keys(store, "b/ü") == ["b/ü"]
    assert keys(store, "c") == keys(store, "a/b/") == []
    assert [facts.size for facts in store.list("a/b")] == [4]


@pytest.mark.parametrize("prefix", ["/", "../", "a/../b", "a//b", "a\0"])
def test_prefixes_no_key_can_have_are_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(ValidationError):
        keys(store, prefix)
    with pytest.raises(ValidationError):
        store.abort_unfinished(prefix, older_than=datetime.now(UTC))


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    put(store, "a/b/c")
    put(store, "a/d")
    store.delete("a/b/c")
    store.delete("a/b/c")
    store.delete("never/was")
    assert store.stat("a/b/c") is None
    assert keys(store) == ["a/d"]


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_hostile_keys_are_refused_by_every_call(store: ObjectStore, key: str) -> None:
    put(store, "fine")
    good, bad = Segment(key="fine", offset=0, size=4), Segment(key=key, offset=0, size=4)
    calls = [
        lambda: put(store, key), lambda: get(store, key), lambda: store.stat(key), lambda: store.delete(key),
        lambda: store.url(key), lambda: store.compose(key, [good], media_type=TEXT),
        lambda: store.compose("new", [good, bad], media_type=TEXT),
        lambda: store.presigned_url(key, seconds=9, file_name="x", media_type=TEXT) or store.local_path(key),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(ValidationError):
            call()
    assert keys(store) == ["fine"]


def test_keys_of_any_script_are_kept_exactly(store: ObjectStore) -> None:
    for key in UNICODE_KEYS:
        put(store, key, key.encode())
    assert keys(store, "exports/") == sorted(UNICODE_KEYS)
    assert [get(store, key).decode() for key in UNICODE_KEYS] == UNICODE_KEYS
    store.compose("all", [Segment(key=key, offset=0, size=9) for key in UNICODE_KEYS], media_type=TEXT)
    assert get(store, "all") == b"".join(key.encode()[:9] for key in UNICODE_KEYS)
    for key in UNICODE_KEYS:
        store.delete(key)
    assert keys(store, "exports/") == []


def test_a_writable_store_says_so_and_keeps_nothing_of_the_check(store: ObjectStore) -> None:
    store.check_writable()
    assert keys(store) == []
