"""Files written past the page cache: the same bytes, wherever pieces end and whatever the file system can do."""

import errno
import fcntl
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from export_pipelines.core.errors import StoreUnavailableError
from export_pipelines.storage.local import LocalStore
from export_pipelines.storage.past_cache import PIECE_BYTES, PastCache


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def chunks(size: int, *, seed: int = 1) -> Iterator[bytes]:
    drawn = random.Random(seed)
    while size:
        count = min(size, drawn.choice((1, 4095, 4096, 70_001, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 7)))
        yield drawn.randbytes(count)
        size -= count


@pytest.mark.parametrize(
    "size", [0, 1, 4096, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES, 7 * PIECE_BYTES + 12_345]
)
def test_a_file_has_the_bytes_that_were_written(store: LocalStore, size: int) -> None:
    data = b"".join(chunks(size))
    with store.writer("a/b", read_soon=False) as writer:
        for chunk in chunks(size):
            assert writer.write(memoryview(chunk)) == len(chunk)
    path = store.local_path("a/b")
    assert path is not None
    assert path.read_bytes() == data
    with store.writer("a/c") as cached:
        cached.write(data)
    assert (writer.staged.size, writer.staged.sha256) == (cached.staged.size, cached.staged.sha256)


def test_large_files_really_go_past_the_cache_where_that_is_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    written: list[tuple[int, bool]] = []
    original = os.write

    def write(descriptor: int, data: memoryview) -> int:
        written.append((len(data), bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT)))
        return original(descriptor, data)

    expected = _has_a_way_past(descriptor)
    monkeypatch.setattr(os, "write", write)
    sink = PastCache(descriptor)
    sink.write(bytes(2 * PIECE_BYTES + 10))
    sink.finish()
    os.close(descriptor)
    assert written == [(PIECE_BYTES, expected), (PIECE_BYTES, expected), (10, False)]


def _has_a_way_past(descriptor: int) -> bool:
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_DIRECT)
        os.pwrite(descriptor, b"", 0)
    except OSError:
        return False
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)
    return True


def test_a_file_system_that_refuses_gets_the_bytes_the_usual_way(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, refused = os.write, []

    def write(descriptor: int, data: memoryview) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(len(data))
            raise OSError(errno.EINVAL, "Invalid argument")
        # And a disk that takes a little at a time.
        return original(descriptor, data[: 1 << 20])

    monkeypatch.setattr(os, "write", write)
    size = 3 * PIECE_BYTES + 100
    with store.writer("k", read_soon=False) as writer:
        for chunk in chunks(size):
            writer.write(chunk)
    path = store.local_path("k")
    assert path is not None
    assert path.read_bytes() == b"".join(chunks(size))
    assert len(refused) <= 1


def test_a_full_disk_is_an_error_and_leaves_nothing(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(descriptor: int, data: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill() -> None:
        with store.writer("k", read_soon=False) as writer:
            writer.write(bytes(PIECE_BYTES))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StoreUnavailableError, match="Free some space"):
        fill()
    monkeypatch.undo()
    assert store.stat("k") is None
