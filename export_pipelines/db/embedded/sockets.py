"""The folder of the server's unix socket: short, because a socket's path is limited to 107 bytes, and private."""

import secrets
import shutil
from pathlib import Path

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import folders
from export_pipelines.db.embedded.account import Account
from export_pipelines.db.embedded.place import Place

# Not $XDG_RUNTIME_DIR: it goes away with the last login, and the server stays.
_BASE = Path("/tmp")  # noqa: S108 (a folder there is used only after a look at whose it is)


def usual(place: Place) -> Path:
    """The folder's name, the same at every start so that a URL a person noted stays right."""
    return _BASE / f"export-pipelines-{place.key}"


def prepare(place: Place, *, account: Account) -> Path:
    """Make the folder for the server's user; where another user took the name, one with a name nobody can foresee.

    Raises:
        OSError: it cannot be made.
    """
    try:
        return folders.own(usual(place), mode=0o700, owner=account)
    except (DatabaseUnavailableError, FileExistsError):
        return folders.own(usual(place).with_suffix(f".{secrets.token_hex(4)}"), mode=0o700, owner=account)


def remove(place: Place) -> None:
    """Delete the folder with what killed servers left in it."""
    shutil.rmtree(usual(place), ignore_errors=True)
