"""What the local store asks of the operating system: durable renames, in-kernel copies, errors in our words."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from export_pipelines.core.errors import NotFoundError, StoreUnavailableError, ValidationError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
"""Exports hold research data: readable for the user that runs us, and for nobody else."""

DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SHAPE = frozenset({errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP})
_NO_KERNEL_COPY = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM})
_COPY_BYTES = 4 * 1024 * 1024
_ELSEWHERE = "or set EXPORT_PIPELINES_STORE_URL to another place"


@contextmanager
def os_errors(path: Path, action: str) -> Iterator[None]:
    """Raise what the operating system refuses as our errors; ``action`` reads as in "cannot <action>"."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"Cannot {action}: {path} does not exist (any more).") from error
    except OSError as error:
        # Not the exception's own text: it may name a temporary file that means nothing to anybody.
        reason = f"Cannot {action} at {path}: {os.strerror(error.errno or errno.EIO)}."
        if error.errno in _SHAPE:
            raise ValidationError(f"{reason} A file stands where a folder belongs, or the other way round.") from error
        raise StoreUnavailableError(f"{reason} {_advice(error)}") from error


def _advice(error: OSError) -> str:
    if error.errno in _FULL:
        return f"Free some space there, {_ELSEWHERE}."
    if error.errno in DENIED:
        return f"Let user {os.geteuid()} write there, {_ELSEWHERE}."
    return f"Check the disk, {_ELSEWHERE}."


def make_folders(folder: Path, *, root: Path, lasting: bool = True) -> None:
    """Make the folder and what is missing above it; a new entry is on disk before anything is put into it.

    Folders from ``root`` downward are private; those above it get the usual mode, since other programs may live there.
    Below it, folders that are not ``lasting`` hold what is worth nothing after a power cut; the disk is not waited for.
    """
    if folder.is_dir():
        return
    make_folders(folder.parent, root=root, lasting=lasting)
    private = folder == root or root in folder.parents
    with suppress(FileExistsError):
        folder.mkdir(mode=FOLDER_MODE if private else 0o777)
        if lasting or root not in folder.parents:
            sync_folder(folder.parent)
    # One look, since somebody may be pruning or making the same folder: gone is another matter than being a file.
    if not stat.S_ISDIR(folder.stat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def sync_folder(folder: Path) -> None:
    """Make renames, links and removals in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune_empty(folder: Path, *, root: Path) -> None:
    """Remove the folder and its parents below ``root``, as far as they are empty."""
    while root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            # Not empty, or gone already: either way somebody else's.
            return
        folder = folder.parent


def copy_bytes(source: int, target: int, *, offset: int, size: int) -> int:
    """Append ``size`` bytes from ``offset`` of one open file to another; fewer only where the source ends.

    The kernel copies where it can (file systems that share blocks copy nothing at all); otherwise the bytes pass
    through a small buffer.
    """
    done = 0
    in_kernel = hasattr(os, "copy_file_range")
    while done < size:
        try:
            if in_kernel:
                count = os.copy_file_range(source, target, size - done, offset + done)
            else:
                count = _write_all(target, os.pread(source, min(_COPY_BYTES, size - done), offset + done))
        except OSError as error:
            if not in_kernel or error.errno not in _NO_KERNEL_COPY:
                raise
            in_kernel = False
            continue
        if not count:
            break
        done += count
    return done


def _write_all(target: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]
    return len(data)
