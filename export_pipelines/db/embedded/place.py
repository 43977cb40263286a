"""Where a home's server keeps its files: under the home, or, where its user cannot go, beside the system's own data.

A clone under ``/root`` or in a private temporary folder is closed to the user that root has to hand the server to. Then
``<home>/postgres`` is a link to a folder of ours under ``/var/lib`` instead of the folder itself.
"""

import hashlib
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import folders
from export_pipelines.db.embedded.account import Account

_ELSEWHERE = (
    Path("/var/lib/export-pipelines"),
    Path("/var/tmp/export-pipelines"),  # noqa: S108 (used only after a look at whose it is)
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folder that holds one server's data, log and settings; ours, with the server's own folders inside."""

    root: Path

    @property
    def data(self) -> Path:
        """The data directory, the server user's; exists only when it is complete."""
        return self.root / "data"

    @property
    def log_dir(self) -> Path:
        """The server user's folder for the log."""
        return self.root / "log"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.log_dir / "server.log"

    @property
    def config(self) -> Path:
        """The configuration file the server is started with."""
        return self.root / "server.conf"

    @property
    def key(self) -> str:
        """A short name for this place, different from every other's."""
        return _digest(self.root)


def link_of(home: Path) -> Path:
    """The place's folder, or the link to it."""
    return home / "postgres"


def locate(home: Path) -> Place:
    """The place of this home's server, whether anything is there or not."""
    return Place(root=link_of(home).resolve())


def prepare(home: Path, *, account: Account) -> Place:
    """Make the place's folders so that the server's user can work there.

    Raises:
        DatabaseUnavailableError: the user cannot reach the place, or another user's folder is in the way.
        OSError: a folder cannot be made.
    """
    if not link_of(home).exists() and not account.reaches(home):
        _relocate(home, account=account)
    place = locate(home)
    folders.own(place.root, mode=0o755)
    if not account.reaches(place.root):
        raise DatabaseUnavailableError(
            f"The embedded PostgreSQL runs as user {account.name}, who cannot reach its folder {place.root}. Open the "
            f"folders above it to other users (chmod a+x), or set EXPORT_PIPELINES_HOME to a folder it can reach."
        )
    folders.own(place.log_dir, mode=0o700, owner=account)
    return place


def remove(home: Path) -> None:
    """Delete the place with everything in it.

    Raises:
        OSError: something cannot be deleted.
    """
    root = locate(home).root
    if root.exists():
        shutil.rmtree(root)
    link_of(home).unlink(missing_ok=True)
    if root.parent in _ELSEWHERE:
        # The last one out; it is not empty while others, or copied programs, are there.
        with suppress(OSError):
            root.parent.rmdir()


def elsewhere(*, account: Account) -> Path:
    """Our folder outside any home, for what the server's user must reach.

    Raises:
        DatabaseUnavailableError: there is none that can be used.
    """
    refusals = []
    for folder in _ELSEWHERE:
        try:
            folders.own(folder, mode=0o755)
        except (OSError, DatabaseUnavailableError) as error:
            refusals.append(str(error))
            continue
        if account.reaches(folder):
            return folder
        refusals.append(f"{folder} is closed to user {account.name}")
    raise DatabaseUnavailableError(f"No folder can be used for the embedded PostgreSQL: {'; '.join(refusals)}.")


def _relocate(home: Path, *, account: Account) -> None:
    """Leave a link in the home to a folder that the user can reach, named after the home."""
    root = folders.own(elsewhere(account=account) / _digest(link_of(home).parent.resolve()), mode=0o755)
    link = link_of(home)
    link.unlink(missing_ok=True)
    link.symlink_to(root)


def _digest(path: Path) -> str:
    return hashlib.sha256(bytes(path)).hexdigest()[:16]
