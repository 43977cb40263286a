"""A store's folder on a disk that fills up or turns read-only, by what the operating system really refuses.

A small file system in memory where we may mount one; elsewhere limits that the kernel holds the worker to. (A limit on
the size of files is met as a full disk is. Folders without the right to write stop everybody but root.)
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

FULL = "Free some space there"
DENIED = "write there"
_MIB = 1024 * 1024
_SAID = 1_000
"""Bytes that a limited worker may still write into a file: its last words, but no part of an export."""


class Volume(Protocol):
    """Where a store lies; each method says which advice the worker's error has to give."""

    def fill(self, pid: int) -> str:
        """No space is left for this worker."""
        ...

    def deny(self, pid: int) -> str:
        """Nothing may be written any more; the worker must have no file open for writing."""
        ...

    def heal(self) -> None:
        """As it was before, for everybody who comes."""
        ...


class MountedVolume:
    """A file system in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._filler = folder / "somebody-else's"

    def fill(self, pid: int) -> str:
        """Somebody else's file takes all the space there is."""
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(_MIB)):
                pass
        assert shutil.disk_usage(self._folder).free == 0
        return FULL

    def deny(self, pid: int) -> str:
        """The file system is mounted read-only."""
        _remount(self._folder, "ro")
        return DENIED

    def heal(self) -> None:
        """Mounted for writing, and the other's file gone."""
        _remount(self._folder, "rw")
        self._filler.unlink(missing_ok=True)


class LimitedVolume:
    """A plain folder; what is limited is the worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill(self, pid: int) -> str:
        """The kernel lets the worker's files grow no further."""
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (_SAID, hard))
        return FULL

    def deny(self, pid: int) -> str:
        """Nobody may write into the folders, or root, whom that does not stop, no more than a few bytes."""
        if os.geteuid() == 0:
            return self.fill(pid)
        self._allow(0o500)
        return DENIED

    def heal(self) -> None:
        """The limit ended with the worker."""
        self._allow(0o700)

    def _allow(self, mode: int) -> None:
        for folder in [self._folder, *(path for path in self._folder.rglob("*") if path.is_dir())]:
            folder.chmod(mode)


@contextmanager
def mounted(folder: Path) -> Iterator[Volume]:
    """A file system of 8 MiB at this folder; a limited volume where nothing may be mounted."""
    folder.mkdir(parents=True)
    options = f"size={8 * _MIB},mode=700"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        yield LimitedVolume(folder)
        return
    try:
        yield MountedVolume(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def limited(folder: Path) -> Iterator[Volume]:
    """A plain folder, and limits."""
    folder.mkdir(parents=True)
    yield LimitedVolume(folder)


def _remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)
