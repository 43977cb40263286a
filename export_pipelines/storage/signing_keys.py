"""Where the keys of signed manifests are kept under home: the private one, and the public half of every one ever used.

Bytes only; what they mean is for others to know.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from export_pipelines.storage.key_files import KEY_BYTES, PRIVATE, PUBLIC, kept_key, replace, write_once
from export_pipelines.storage.local_files import os_errors

FILE_NAME = "signing.key"
FOLDER = "signing-keys"
"""One ``<key id>.pem`` a public key; whose file is removed is no longer trusted."""


@dataclass(frozen=True, kw_only=True)
class KeptPublicKey:
    """A public key's file: its bytes, and since when it is there."""

    path: Path
    data: bytes
    since: datetime


def private_key(home: Path) -> bytes:
    """The 32 bytes of the private key, made now when there are none.

    Raises:
        ValidationError: the file is not ours.
        StoreUnavailableError: the key cannot be kept under home.
    """
    return kept_key(
        home / FILE_NAME,
        what="the key that signs manifests",
        lost="manifests signed before still verify, as long as the public keys beside it are kept",
    )


def has_private_key(home: Path) -> bool:
    """Whether a private key was made already."""
    with os_errors(home / FILE_NAME, "look for the key that signs manifests"):
        return (home / FILE_NAME).exists()


def new_private_key(home: Path) -> bytes:
    """Replace the private key by a new one."""
    key = secrets.token_bytes(KEY_BYTES)
    with os_errors(home / FILE_NAME, "keep the key that signs manifests"):
        replace(home / FILE_NAME, key, mode=PRIVATE)
    return key


def keep_public_key(home: Path, name: str, data: bytes) -> None:
    """Keep a public key for as long as manifests shall verify; what is there already stays."""
    path = home / FOLDER / f"{name}.pem"
    with os_errors(path, "keep a public key"):
        if not path.exists():
            write_once(path, data, mode=PUBLIC)


def public_keys(home: Path) -> Iterator[KeptPublicKey]:
    """Every public key kept, the oldest first."""
    folder = home / FOLDER
    with os_errors(folder, "read the public keys"):
        found = [(path.stat().st_mtime, path) for path in folder.glob("*.pem")] if folder.is_dir() else []
        for modified, path in sorted(found):
            yield KeptPublicKey(path=path, data=path.read_bytes(), since=datetime.fromtimestamp(modified, UTC))
