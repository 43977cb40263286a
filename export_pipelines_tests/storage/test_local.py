"""What only the local store has: modes, links, disks that are full or closed to us."""

import errno
import gc
import os
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from export_pipelines.core.errors import NotFoundError, StoreUnavailableError, ValidationError
from export_pipelines.core.frozen import Segment
from export_pipelines.storage.local import LocalStore

NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home" / "store"


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root)


def put(store: LocalStore, key: str, data: bytes = b"data") -> None:
    with store.writer(key) as writer:
        writer.write(data)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_files_are_private_and_folders_above_the_store_are_ordinary(store: LocalStore, root: Path) -> None:
    umask = os.umask(0o022)
    try:
        put(store, "exports/u/file.csv")
    finally:
        os.umask(umask)
    assert mode(root / "exports/u/file.csv") == 0o600
    assert {mode(path) for path in (root, root / "exports", root / "exports/u")} == {0o700}
    # The embedded server's user has to pass through the home.
    assert mode(root.parent) == 0o755


def test_nothing_stays_in_the_folder_of_the_unfinished(store: LocalStore, root: Path) -> None:
    put(store, "a/b/c")
    store.compose("d/e", [Segment(key="a/b/c", offset=0, size=4)], media_type="text/plain")
    assert list((root / ".incomplete").iterdir()) == []


def test_folders_that_deleting_empties_are_removed(store: LocalStore, root: Path) -> None:
    put(store, "staging/job/1/part-0")
    put(store, "staging/job/1/part-1")
    store.delete("staging/job/1/part-0")
    assert (root / "staging/job/1").is_dir()
    store.delete("staging/job/1/part-1")
    assert not (root / "staging").exists()
    assert root.is_dir()


@pytest.mark.parametrize("by", ["writing", "composing"])
def test_writers_and_deleters_in_one_folder_do_not_disturb_each_other(store: LocalStore, by: str) -> None:
    failures: list[BaseException] = []
    put(store, "source")
    whole = [Segment(key="source", offset=0, size=4)]

    def churn(number: int) -> None:
        try:
            for _ in range(60):
                if by == "writing":
                    put(store, f"deep/er/folder/{number}")
                else:
                    store.compose(f"deep/er/folder/{number}", whole, media_type="text/plain")
                store.delete(f"deep/er/folder/{number}")
        except BaseException as error:  # noqa: BLE001  # handed to the test
            failures.append(error)

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [facts.key for facts in store.list("")] == ["source"]


def test_a_link_out_of_the_store_is_not_followed(store: LocalStore, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    put(store, "inside")
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "loop").symlink_to(root / "loop")
    for key in ("folder/secret", "file", "loop"):
        for call in (store.stat, store.delete, store.url, store.local_path, lambda key: put(store, key)):
            with pytest.raises(ValidationError, match="symbolic link"):
                call(key)
        with pytest.raises(ValidationError, match="symbolic link"), store.open(key):
            pass
    assert [facts.key for facts in store.list("")] == ["inside"]
    assert (outside / "secret").read_text() == "secret"


def test_a_store_that_is_itself_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    put(LocalStore(tmp_path / "store"), "key")
    assert (tmp_path / "disk" / "key").read_bytes() == b"data"


def test_a_root_that_is_a_file_is_refused(root: Path, store: LocalStore) -> None:
    root.parent.mkdir(parents=True)
    root.write_text("a file")
    for call in (store.check_writable, lambda: put(store, "key")):
        with pytest.raises(ValidationError, match=f"{root.parent}.*A file stands where a folder belongs"):
            call()
    assert store.stat("key") is None
    assert list(store.list("")) == []


def test_a_key_cannot_be_an_object_and_a_folder(store: LocalStore) -> None:
    put(store, "a/b")
    with pytest.raises(ValidationError):
        put(store, "a")
    with pytest.raises(ValidationError):
        put(store, "a/b/c")
    assert store.stat("a") is None
    assert store.stat("a/b/c") is None
    assert [facts.key for facts in store.list("")] == ["a/b"]


def test_pipes_and_foreign_names_are_no_objects(store: LocalStore, root: Path) -> None:
    put(store, "key")
    os.mkfifo(root / "pipe")
    (root / b"bad\xff".decode("utf-8", "surrogateescape")).write_text("x")
    assert [facts.key for facts in store.list("")] == ["key"]
    assert store.stat("pipe") is None
    with pytest.raises(NotFoundError), store.open("pipe"):
        pass


def test_unfinished_files_are_swept_by_prefix_and_age(store: LocalStore, root: Path) -> None:
    for key in ("staging/a/1", "staging/b/1", "exports/c"):
        path = root / ".incomplete" / f"{key}.0123456789abcdef"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    now = datetime.now(UTC)
    assert store.abort_unfinished("", older_than=now - timedelta(hours=1)) == 0
    assert store.abort_unfinished("staging/a", older_than=now + timedelta(minutes=1)) == 1
    assert store.abort_unfinished("staging/", older_than=now + timedelta(minutes=1)) == 1
    assert [path.name for path in files_below(root)] == ["c.0123456789abcdef"]
    assert store.abort_unfinished("", older_than=now + timedelta(minutes=1)) == 1
    assert files_below(root) == []


def test_a_file_that_is_swept_away_under_its_writer_is_an_error_not_an_empty_object(
    store: LocalStore, root: Path
) -> None:
    with pytest.raises(StoreUnavailableError, match="swept away"), store.writer("key"):
        store.abort_unfinished("", older_than=datetime.now(UTC) + timedelta(minutes=1))
    assert store.stat("key") is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_gives_up_is_unavailable_and_leaves_nothing(
    store: LocalStore, root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", refuse)
    root.mkdir(parents=True)
    with pytest.raises(StoreUnavailableError, match="EXPORT_PIPELINES_STORE_URL") as caught:
        put(store, "key")
    assert os.strerror(number) in str(caught.value)
    assert str(root) in str(caught.value)
    assert files_below(root) == []


def test_a_write_the_system_refuses_half_way_leaves_nothing(root: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from export_pipelines.core.errors import StoreUnavailableError
from export_pipelines.storage.local import LocalStore
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
try:
    with LocalStore(Path(sys.argv[1])).writer("large") as writer:
        for _ in range(100):
            writer.write(bytes(100_000))
except StoreUnavailableError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, root], capture_output=True, text=True, check=True)
    assert "File too large. Free some space there" in done.stdout
    assert files_below(root) == []


def test_a_folder_that_is_not_ours_is_named_with_what_to_do(root: Path) -> None:
    root.mkdir(parents=True, mode=0o555)
    script = """
import os, sys
from pathlib import Path
from export_pipelines.core.errors import StoreUnavailableError, ValidationError
from export_pipelines.storage.local import LocalStore
store = LocalStore(Path(sys.argv[1]))
if os.geteuid() == 0:
    os.setresuid(int(sys.argv[2]), int(sys.argv[2]), int(sys.argv[2]))
try:
    with store.writer("a/b") as writer:
        pass
except StoreUnavailableError as error:
    print(error)
try:
    store.check_writable()
except ValidationError as error:
    print(error)
"""
    for parent in (root, *root.parents):
        if parent == Path("/") or parent.stat().st_uid != os.geteuid():
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", script, root, str(NOBODY)], capture_output=True, text=True, check=True)
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    for line in done.stdout.splitlines():
        assert str(root) in line
        assert f"Permission denied. Let user {user} write there" in line
    assert len(done.stdout.splitlines()) == 2


def test_without_help_from_the_kernel_the_bytes_are_the_same(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr("os.copy_file_range", refuse)
    data = os.urandom(9_000_000)
    put(store, "staging/x", data)
    cuts = [Segment(key="staging/x", offset=5, size=8_500_000), Segment(key="staging/x", offset=0, size=5)]
    store.compose("final", cuts, media_type="text/plain")
    with store.open("final") as file:
        assert file.read() == data[5:8_500_005] + data[:5]


def test_a_reader_keeps_the_file_it_opened_though_it_is_deleted_or_replaced(store: LocalStore) -> None:
    put(store, "key", b"old" * 1_000_000)
    with store.open("key") as file:
        file.read(3)
        put(store, "key", b"new")
        store.delete("key")
        assert file.read() == b"old" * 999_999


def test_open_files_are_closed(store: LocalStore) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    put(store, "key")
    # What other tests have left open must not be closed in between.
    gc.collect()
    before = count()
    for _ in range(10):
        put(store, "key")
        store.compose("other", [Segment(key="key", offset=0, size=4)], media_type="text/plain")
        with store.open("key") as file:
            file.read()
        with pytest.raises(NotFoundError), store.open("nothing"):
            pass
    assert count() == before
