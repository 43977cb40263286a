"""The operating-system user the server runs as: ourselves, or for root somebody with fewer rights.

PostgreSQL refuses to run as root. We never create users and never open folders for one; a user who cannot reach a
folder is given another folder (``place``, ``programs``).
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export_pipelines.core.errors import ValidationError

_ROOT = 0
_SUBSTITUTES = ("postgres", "nobody")
# Nothing of the caller's environment: PGPORT and its like change a server's defaults, a locale its messages.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, kw_only=True)
class Account:
    """An operating-system user and primary group."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether it is not ourselves."""
        return self.uid != os.geteuid()

    def run(
        self, command: Sequence[str], *, environment: tuple[tuple[str, str], ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this user in a session of its own, away from our terminal, folder, environment and files.

        Raises:
            OSError: this user cannot execute it.
        """
        return subprocess.run(  # noqa: S603 (our own programs, and no shell sees a value)
            command,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
            env={**_ENVIRONMENT, **dict(environment)},
            cwd="/",
            umask=0o077,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            start_new_session=True,
            check=False,
        )

    def reaches(self, folder: Path) -> bool:
        """Whether this user can go through every folder down to ``folder``; the kernel is asked, it knows all rules."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0


def choose(wanted: str | None, *, data: Path) -> Account:
    """Who is to run the server: we ourselves; for root the data's owner, the wanted user, ``postgres`` or ``nobody``.

    Raises:
        ValidationError: root wants a user that does not exist or is root, or there is no user to take.
    """
    if os.geteuid() != _ROOT:
        return Account(name=_name(os.geteuid()), uid=os.geteuid(), gid=os.getegid())
    if data.exists() and (owner := data.stat()).st_uid != _ROOT:
        return Account(name=_name(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid)
    for name in [wanted] if wanted else _SUBSTITUTES:
        account = _find(name)
        if account is not None and account.uid != _ROOT:
            return account
    raise ValidationError(
        f"PostgreSQL does not run as root, and {wanted or ' and '.join(_SUBSTITUTES)} cannot be used instead. Set "
        "EXPORT_PIPELINES_DB_OS_USER to an existing user other than root."
    )


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)


def _name(uid: int) -> str:
    """The user's name; containers may run under a number that has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
