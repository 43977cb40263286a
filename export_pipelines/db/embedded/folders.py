"""Folders of our own, made so that nobody else can have put theirs in the way."""

import os
import stat
from pathlib import Path

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded.account import Account


def own(folder: Path, *, mode: int, owner: Account | None = None) -> Path:
    """Make the folder, or take the one that is there if it is ours, with this mode and owner (ourselves by default).

    Raises:
        DatabaseUnavailableError: something else has the name: a link, a file, or another user's folder.
        OSError: it cannot be made.
    """
    uid, gid = (owner.uid, owner.gid) if owner else (os.geteuid(), os.getegid())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {uid, os.geteuid()}:
        raise DatabaseUnavailableError(
            f"{folder} is needed for the embedded PostgreSQL, but is a link or belongs to another user (number "
            f"{facts.st_uid}). Remove it, run as that user, or set EXPORT_PIPELINES_HOME to another folder."
        )
    if facts.st_uid != uid:
        os.chown(folder, uid, gid, follow_symlinks=False)
    if stat.S_IMODE(facts.st_mode) != mode:
        folder.chmod(mode)
    return folder
