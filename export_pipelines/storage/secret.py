"""The key of the signed links: the one that is set, or one that is made once and kept under home."""

import os
import secrets
from pathlib import Path

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import Settings
from export_pipelines.storage.local_files import os_errors, sync_folder

FILE_NAME = "link.key"
KEY_BYTES = 32
MIN_SECRET_BYTES = 16


def link_secret(settings: Settings) -> bytes:
    """The key of the deployment's links; every process of one home gets the same.

    Raises:
        ValidationError: the secret that is set is too short to be one, or the kept file is not ours.
        StoreUnavailableError: the key cannot be kept under home.
    """
    if settings.link_secret is None:
        return _kept_key(settings.home / FILE_NAME)
    key = settings.link_secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise ValidationError(
            f"EXPORT_PIPELINES_LINK_SECRET has {len(key)} bytes, but needs at least {MIN_SECRET_BYTES}; "
            "set a long random text, for instance from `openssl rand -hex 32`."
        )
    return key


def _kept_key(path: Path) -> bytes:
    with os_errors(path, "keep the key of the download links"):
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValidationError(
            f"{path} has {len(key)} bytes where a key of {KEY_BYTES} belongs; remove the file and a new key is made "
            "(links made before stop working)."
        )
    return key


def _make_key(path: Path) -> None:
    """Whoever links its file first wins; nobody ever sees half a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(mine, path)
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        mine.unlink()
