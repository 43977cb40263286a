"""The four verbs: make sure the server runs, ask for it, stop it, remove it with its data."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import account as accounts
from export_pipelines.db.embedded import cluster, databases, locks, place, postmaster, process, programs, sockets
from export_pipelines.db.embedded.account import Account
from export_pipelines.db.embedded.place import Place
from export_pipelines.db.embedded.postmaster import Postmaster
from export_pipelines.db.embedded.programs import Programs
from export_pipelines.db.embedded.server import EmbeddedServer


def ensure_running(home: Path, *, os_user: str | None = None) -> EmbeddedServer:
    """The home's server, started and given its databases if need be; it goes on running when we end.

    Args:
        home: the folder that names the server; made if it is missing.
        os_user: who runs it when we are root and no data exist yet; existing data keep their owner.

    Raises:
        DatabaseUnavailableError: it cannot be started; the message has the reason.
        ValidationError: root wants an ``os_user`` that cannot be used.
    """
    with _explained(home):
        server = _running(place.locate(home))
        # It may go away between our look and our question; then it is started like any other.
        with suppress(DatabaseUnavailableError):
            if server is not None:
                databases.ensure(server)
                return server
        home.mkdir(parents=True, exist_ok=True)
        with locks.alone(_lock_of(home)):
            server = _start(home, os_user=os_user)
            databases.ensure(server)
            return server


def status(home: Path) -> EmbeddedServer | None:
    """The home's server if it runs and takes connections.

    Raises:
        DatabaseUnavailableError: it is another user's, so we cannot know.
    """
    with _explained(home):
        return _running(place.locate(home))


def stop(home: Path) -> bool:
    """Stop the home's server, ending its sessions; whether there was one to stop.

    Raises:
        DatabaseUnavailableError: it does not stop, or is another user's.
    """
    with _explained(home):
        if not home.is_dir():
            return False
        with locks.alone(_lock_of(home)):
            return _stop(place.locate(home))


def remove(home: Path) -> None:
    """Stop the home's server and delete its data, wherever they are.

    Raises:
        DatabaseUnavailableError: it does not stop, or something cannot be deleted.
    """
    with _explained(home):
        if not home.is_dir():
            return
        with locks.alone(_lock_of(home)):
            where = place.locate(home)
            _stop(where)
            sockets.remove(where)
            place.remove(home)


def _start(home: Path, *, os_user: str | None) -> EmbeddedServer:
    found = process.settle(place.locate(home).data)
    if found is not None and found.reachable:
        return _server(place.locate(home), found)
    if found is not None:
        # It cannot make its socket anew while it runs.
        process.stop(found.pid, data=place.locate(home).data)
    account = accounts.choose(os_user, data=place.locate(home).data)
    where = place.prepare(home, account=account)
    _stop_orphan(where)
    usable, version = _programs(account)
    if not where.data.exists():
        cluster.make(where, programs=usable, major=int(version.partition(".")[0]), account=account)
    cluster.check_version(where, version=version)
    cluster.configure(where)
    socket_dir = sockets.prepare(where, account=account)
    postmaster.discard_stale(where.data, socket_dir=socket_dir)
    return _server(where, process.start(where, programs=usable, account=account, socket_dir=socket_dir))


def _programs(account: Account) -> tuple[Programs, str]:
    """The first programs that this user can execute, copied if need be, and their version."""
    found = programs.find_all()
    for candidate in found:
        if version := candidate.version(account=account):
            return candidate, version
        if candidate.parts and account.is_other:
            copied = programs.copy(candidate, into=place.elsewhere(account=account))
            if version := copied.version(account=account):
                return copied, version
    raise DatabaseUnavailableError(
        f"User {account.name} cannot execute the PostgreSQL programs in "
        f"{', '.join(str(candidate.bin) for candidate in found)}. Check the rights of the folder, and that its file "
        "system is not mounted noexec."
    )


def _lock_of(home: Path) -> Path:
    return home / "postgres.lock"


def _running(where: Place) -> EmbeddedServer | None:
    found = postmaster.find(where.data)
    return _server(where, found) if found is not None and found.reachable else None


def _server(where: Place, found: Postmaster) -> EmbeddedServer:
    return EmbeddedServer(data_dir=where.data, socket_dir=found.socket_dir, port=found.port, pid=found.pid)


def _stop(where: Place) -> bool:
    found = postmaster.find(where.data)
    if found is None:
        return _stop_orphan(where)
    process.stop(found.pid, data=where.data)
    with suppress(OSError):
        sockets.usual(where).rmdir()
    return True


def _stop_orphan(where: Place) -> bool:
    """End a server whose data were deleted while it ran; it holds the socket's name and has nothing left to save."""
    pid = postmaster.find_orphan(sockets.usual(where), data=where.data)
    if pid is None:
        return False
    process.stop(pid, data=where.data, how=signal.SIGQUIT)
    return True


@contextmanager
def _explained(home: Path) -> Iterator[None]:
    """Turn what the operating system refuses into an error of ours that says what to do."""
    try:
        yield
    except PermissionError as error:
        raise DatabaseUnavailableError(
            f"The embedded PostgreSQL of {home} belongs to another user ({error}). Run as that user or as root, or set "
            "EXPORT_PIPELINES_HOME to a folder of your own."
        ) from error
    except OSError as error:
        raise DatabaseUnavailableError(
            f"The embedded PostgreSQL of {home} cannot be prepared: {error}. Check that its disk has space, or set "
            "EXPORT_PIPELINES_HOME to another folder."
        ) from error
