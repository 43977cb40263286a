"""How the local store makes a file appear: written aside in the same file system, synced, renamed."""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from export_pipelines.core.errors import NotFoundError, StoreUnavailableError
from export_pipelines.storage.keys import INCOMPLETE
from export_pipelines.storage.local_files import FILE_MODE, make_folders, os_errors, prune_empty, sync_folder

_BUFFER_BYTES = 1024 * 1024
_RACES_WON_AT_LAST = 20
"""A folder can be pruned by somebody else between its making and its use; more often than this, it is no race."""
_Made = TypeVar("_Made")


@contextmanager
def published_file(root: Path, path: Path) -> Iterator[BinaryIO]:
    """An open file that appears at ``path`` when the block ends well; nothing stays of it otherwise.

    Errors raised by the block itself pass unchanged.
    """
    with _file_aside(root, path) as (temporary, file):
        yield file
        _finish(file, path)
        _rename(root, temporary, path)


def published_link(root: Path, source: Path, path: Path) -> bool:
    """Have the file at ``source`` appear at ``path`` too; False where the file system has no hard links.

    The file was synced when it was written, and its new name is synced here.
    """
    temporary = _place_aside(root, path)
    try:
        with os_errors(path, "publish"):
            try:
                _made(temporary, root, lambda: os.link(source, temporary, follow_symlinks=False))
            except OSError as error:
                # A source that is missing is for whoever copies it to report.
                if error.errno in (errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.ENOENT):
                    return False
                raise
        _rename(root, temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()
        prune_empty(temporary.parent, root=root / INCOMPLETE)
    return True


def probe(root: Path) -> None:
    """Do everything that publishing a small file takes, except showing it."""
    path = root / "probe"
    with _file_aside(root, path) as (_, file):
        with os_errors(path, "write"):
            file.write(b"probe")
        _finish(file, path)


@contextmanager
def _file_aside(root: Path, path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    with os_errors(path, "write"):
        temporary, file = _create_aside(root, path)
    try:
        yield temporary, file
    finally:
        # After a rename both have nothing left to do; after anything else, what they say matters no more.
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            temporary.unlink()
        prune_empty(temporary.parent, root=root / INCOMPLETE)


def _finish(file: BinaryIO, path: Path) -> None:
    with os_errors(path, "write"):
        file.flush()
        os.fsync(file.fileno())


def _create_aside(root: Path, path: Path) -> tuple[Path, BinaryIO]:
    temporary = _place_aside(root, path)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = _made(temporary, root, lambda: os.open(temporary, flags, FILE_MODE))
    return temporary, os.fdopen(descriptor, "w+b", buffering=_BUFFER_BYTES)


def _place_aside(root: Path, path: Path) -> Path:
    """A new private name whose place tells the key it is for, so that a sweep can find it by prefix."""
    aside = root / INCOMPLETE / path.relative_to(root)
    return aside.with_name(f"{aside.name}.{secrets.token_hex(8)}")


def _made(temporary: Path, root: Path, make: Callable[[], _Made]) -> _Made:
    """What ``make`` makes at ``temporary``, whose folders somebody else may prune at any moment until then.

    Raises:
        FileNotFoundError: it is no race: what ``make`` needs besides its folder is missing.
    """
    for _ in range(_RACES_WON_AT_LAST - 1):
        with suppress(FileNotFoundError):
            make_folders(temporary.parent, root=root, lasting=False)
            return make()
    make_folders(temporary.parent, root=root, lasting=False)
    return make()


def _rename(root: Path, temporary: Path, path: Path) -> None:
    for _ in range(_RACES_WON_AT_LAST):
        try:
            with os_errors(path, "publish"):
                make_folders(path.parent, root=root)
                temporary.replace(path)
                sync_folder(path.parent)
        except NotFoundError:
            continue
        return
    raise StoreUnavailableError(f"Cannot publish {path}: what was written was swept away meanwhile; try again.")
