"""The server's main process, as its own ``postmaster.pid`` describes it and the process table confirms it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_PROCESSES = Path("/proc")
_DEAD = (b"Z", b"X")
# As long as an instant can become where many wait for few cores; the kernel's own processes never have a command line.
_LOOKS, _LOOK_SECONDS = 200, 0.001
_SOCKET_LOCKS = ".s.PGSQL.*.lock"


@dataclass(frozen=True, kw_only=True)
class Postmaster:
    """A live main process.

    Attributes:
        pid: its process id.
        port: the number in the socket's name; 0 while it is starting.
        socket_dir: folder of its socket; empty while it is starting.
        ready: whether it takes connections (it does not while starting, recovering or stopping).
    """

    pid: int
    port: int = 0
    socket_dir: Path = Path()
    ready: bool = False

    @property
    def reachable(self) -> bool:
        """Whether it takes connections and its socket is still there: what cleans ``/tmp`` may have taken it."""
        return self.ready and (self.socket_dir / f".s.PGSQL.{self.port}").exists()


def find(data: Path) -> Postmaster | None:
    """The live server of this data directory; a file left by one that was killed counts as nothing.

    Raises:
        PermissionError: the directory is another user's.
    """
    lines = _lines(data / "postmaster.pid")
    pid = _pid(lines)
    if pid is None or not serves(pid, data):
        return None
    # The lines: pid, data directory, start time, port, socket folder, listen address, shared memory, state.
    if len(lines) < 8:
        return Postmaster(pid=pid)
    return Postmaster(pid=pid, port=int(lines[3]), socket_dir=Path(lines[4]), ready=lines[7].strip() == "ready")


def find_orphan(socket_dir: Path, *, data: Path) -> int | None:
    """The process id of a live server whose data directory was deleted under it, found by its socket's lock file."""
    if find(data) is not None:
        return None
    pids = (_pid(_lines(lock)) for lock in socket_dir.glob(_SOCKET_LOCKS))
    return next((pid for pid in pids if pid is not None and serves(pid, data)), None)


def discard_stale(data: Path, *, socket_dir: Path) -> None:
    """Remove the lock files of a dead server whose number lives on (in another process, or as one never reaped).

    PostgreSQL would take it for a running server and not start. The files of a live server stay: one that a killed
    starter launched may appear at any moment.
    """
    for lock in [data / "postmaster.pid", *socket_dir.glob(_SOCKET_LOCKS)]:
        pid = _pid(_lines(lock))
        if pid is not None and _exists(pid) and not serves(pid, data):
            lock.unlink(missing_ok=True)


def serves(pid: int, data: Path) -> bool:
    """Whether the process lives and is a server of this data directory, not another one that got an old number."""
    if not (_PROCESSES / "self").exists():
        return _exists(pid)
    return b"\0-D\0" + bytes(data) + b"\0" in _command(pid)


def _command(pid: int) -> bytes:
    """The process's command line; nothing for one that is dead, reaped or not.

    It is readable for everybody, unlike the process's folder links, for root in a container. For an instant it is empty
    for a living process too: while a program, like the shell that starts the server, gives way to the next.
    """
    folder = _PROCESSES / str(pid)
    try:
        for _ in range(_LOOKS):
            command = (folder / "cmdline").read_bytes()
            # The name in parentheses may hold anything; the state is the first word behind it.
            if command or (folder / "stat").read_bytes().rpartition(b")")[2].split()[0] in _DEAD:
                return command
            time.sleep(_LOOK_SECONDS)
    except (FileNotFoundError, ProcessLookupError):
        pass
    return b""


def _pid(lines: list[str]) -> int | None:
    """The process id in a lock file's first line; a file just being written has none."""
    return int(lines[0]) if lines and lines[0].strip().isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
