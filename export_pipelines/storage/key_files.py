"""Keys kept as small files under home: made once by whoever is first, replaced in one step, never seen half."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from export_pipelines.core.errors import ValidationError
from export_pipelines.storage.local_files import os_errors, sync_folder

KEY_BYTES = 32
PRIVATE, PUBLIC = 0o600, 0o644


def kept_key(path: Path, *, what: str, lost: str) -> bytes:
    """The 32 random bytes in the file, made now when there is none.

    Args:
        path: the file.
        what: the key's name in messages, like ``the key of the download links``.
        lost: what a new key would cost, for the message about a damaged one.

    Raises:
        ValidationError: the file is not ours.
        StoreUnavailableError: the key cannot be kept there.
    """
    with os_errors(path, f"keep {what}"):
        if not path.exists():
            write_once(path, secrets.token_bytes(KEY_BYTES), mode=PRIVATE)
        key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValidationError(
            f"{path} has {len(key)} bytes where a key of {KEY_BYTES} belongs; remove the file and a new key is made "
            f"({lost})."
        )
    return key


def write_once(path: Path, data: bytes, *, mode: int) -> bool:
    """Write the file unless it is there; whether it was this call that did. Whoever links its file first wins."""
    with _written(path, data, mode) as mine:
        try:
            os.link(mine, path)
        except FileExistsError:
            return False
    return True


def replace(path: Path, data: bytes, *, mode: int) -> None:
    """Write the file anew; readers find the old bytes or the new ones."""
    with _written(path, data, mode) as mine:
        mine.replace(path)


@contextmanager
def _written(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """A file beside the wanted one, on disk and whole; gone after the block, which gives it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield mine
        sync_folder(path.parent)
    finally:
        mine.unlink(missing_ok=True)
