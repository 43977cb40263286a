"""Starting and stopping the server's main process."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import postmaster
from export_pipelines.db.embedded.account import Account
from export_pipelines.db.embedded.place import Place
from export_pipelines.db.embedded.postmaster import Postmaster
from export_pipelines.db.embedded.programs import Programs

_PAUSE_SECONDS = 0.01
# Recovery after a crash reads at most a few gigabytes of log.
_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_LARGEST_LOG_BYTES = 16 * 1024 * 1024
# A backend in the middle of a computation outlives a killed main process and is waited for.
_STILL_ATTACHED = "pre-existing shared memory block"
_TRIES = 50
_TRY_PAUSE_SECONDS = 0.2
# The shell leaves at once, so the server is nobody's child: whoever kills the starter's family does not find it.
_DETACH = '"$@" </dev/null >>"$SERVER_LOG" 2>&1 & echo $!'


@dataclass(frozen=True, kw_only=True)
class _Start:
    pid: int
    log_offset: int


def start(place: Place, *, programs: Programs, account: Account, socket_dir: Path) -> Postmaster:
    """Start the server and wait until it takes connections.

    Raises:
        DatabaseUnavailableError: it died, or is not ready in time; the message has the end of its log.
    """
    _rotate(place.log)
    for _ in range(_TRIES):
        begun = _launch(place, programs=programs, account=account, socket_dir=socket_dir)
        if found := _await_ready(place, pid=begun.pid):
            return found
        said = _log_since(place.log, begun.log_offset)
        if _STILL_ATTACHED not in said:
            break
        time.sleep(_TRY_PAUSE_SECONDS)
    raise DatabaseUnavailableError(
        f"The embedded PostgreSQL in {place.root} did not start. Its log {place.log} ends:\n{said or '(nothing)'}"
    )


def settle(data: Path) -> Postmaster | None:
    """Wait for a server that is starting or stopping; None when there is none (any more).

    Raises:
        DatabaseUnavailableError: it does neither in time.
    """
    for _ in range(int(_START_SECONDS / _PAUSE_SECONDS)):
        found = postmaster.find(data)
        if found is None or found.ready:
            return found
        time.sleep(_PAUSE_SECONDS)
    raise DatabaseUnavailableError(
        f"The embedded PostgreSQL in {data} has been starting or stopping for {_START_SECONDS:.0f} s (recovery after a "
        "crash can take long). Wait and try again."
    )


def stop(pid: int, *, data: Path, how: signal.Signals = signal.SIGINT) -> None:
    """Stop the server: SIGINT, its fast shutdown, ends all sessions and writes everything down.

    Raises:
        DatabaseUnavailableError: it is still there after a minute.
    """
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return
    for _ in range(int(_STOP_SECONDS / _PAUSE_SECONDS)):
        if not postmaster.serves(pid, data):
            return
        time.sleep(_PAUSE_SECONDS)
    raise DatabaseUnavailableError(
        f"The embedded PostgreSQL (process {pid}) did not stop within {_STOP_SECONDS:.0f} s. It may be writing much to "
        "disk: wait and try again."
    )


def _launch(place: Place, *, programs: Programs, account: Account, socket_dir: Path) -> _Start:
    offset = place.log.stat().st_size if place.log.exists() else 0
    server = [str(programs.bin / "postgres"), "-D", str(place.data), "-k", str(socket_dir)]
    command = ["/bin/sh", "-c", _DETACH, "sh", *server, "-c", f"config_file={place.config}"]
    launched = account.run(command, environment=(("SERVER_LOG", str(place.log)),))
    if launched.returncode != 0 or not launched.stdout.strip().isdecimal():
        raise DatabaseUnavailableError(
            f"The embedded PostgreSQL cannot be started as user {account.name}: {launched.stderr.strip()}"
        )
    return _Start(pid=int(launched.stdout), log_offset=offset)


def _await_ready(place: Place, *, pid: int) -> Postmaster | None:
    """The server once it is ready; None when the process died and no other serves the data.

    Another one does when a starter was killed just after launching it.
    """
    for _ in range(int(_START_SECONDS / _PAUSE_SECONDS)):
        found = postmaster.find(place.data)
        if found is not None and found.ready:
            return found
        if found is None and not postmaster.serves(pid, place.data):
            return None
        time.sleep(_PAUSE_SECONDS)
    raise DatabaseUnavailableError(
        f"The embedded PostgreSQL in {place.root} is not ready after {_START_SECONDS:.0f} s; it may still be "
        f"recovering from a crash. Its log is {place.log}; wait and try again."
    )


def _rotate(log: Path) -> None:
    """Keep one older log, so that neither grows for ever."""
    if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _log_since(log: Path, offset: int) -> str:
    """The last lines written after ``offset``."""
    if log.is_symlink() or not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(offset)
        return "\n".join(file.read().decode(errors="replace").splitlines()[-12:])
