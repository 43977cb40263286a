"""The data directory: made whole or not at all, refused when another major version made it, and its settings."""

import secrets
import shutil
from pathlib import Path

from export_pipelines.core.errors import DatabaseUnavailableError
from export_pipelines.db.embedded import folders
from export_pipelines.db.embedded.account import Account
from export_pipelines.db.embedded.place import Place
from export_pipelines.db.embedded.programs import Programs
from export_pipelines.db.embedded.server import SUPERUSER

_FIRST_WITH_BUILTIN_LOCALE = 17
_SETTINGS = """\
# Written anew at every start; settings of your own: ALTER SYSTEM SET ..., which wins over this file and stays.
include 'data/postgresql.conf'
listen_addresses = ''
max_connections = 200
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 4GB
checkpoint_timeout = 15min
# No standby and no archive are fed from here, so bulk loads need not write what only those would read.
wal_level = minimal
max_wal_senders = 0
random_page_cost = 1.1
# A worker that was killed does not leave its query running.
client_connection_check_interval = 5s
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
"""


def make(place: Place, *, programs: Programs, major: int, account: Account) -> None:
    """Make an empty data directory beside its place and move it there when it is complete.

    Raises:
        DatabaseUnavailableError: initdb failed; the message has its last words.
    """
    for left_over in place.root.glob("data.new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    fresh = folders.own(place.root / f"data.new-{secrets.token_hex(4)}", mode=0o700, owner=account)
    made = account.run(_initdb(fresh, programs=programs, major=major))
    if made.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise DatabaseUnavailableError(
            f"The embedded PostgreSQL cannot make its data directory in {place.root} as user {account.name}:\n"
            f"{(made.stderr or made.stdout).strip()}\nCheck the space and the rights there and try again."
        )
    fresh.rename(place.data)


def check_version(place: Place, *, version: str) -> None:
    """Refuse data that these programs cannot read.

    Raises:
        DatabaseUnavailableError: another major version made it, or it is no data directory.
    """
    stated = place.data / "PG_VERSION"
    if not stated.is_file():
        raise DatabaseUnavailableError(
            f"{place.data} is not a complete PostgreSQL data directory. Restore it, or move it away to begin with an "
            "empty one."
        )
    made_by = stated.read_text().strip()
    if made_by != version.partition(".")[0]:
        raise DatabaseUnavailableError(
            f"The data in {place.data} was made by PostgreSQL {made_by}, but the programs here are {version}. Dump it "
            f"with the programs of {made_by} (pg_dumpall) or convert it with pg_upgrade; or move it away to begin with "
            "an empty one."
        )


def configure(place: Place) -> None:
    """Write our settings, which go between ``postgresql.conf`` and what ALTER SYSTEM keeps; replaced in one step."""
    if place.config.is_file() and place.config.read_text() == _SETTINGS:
        return
    fresh = place.root / "server.conf.new"
    fresh.write_text(_SETTINGS)
    fresh.chmod(0o644)
    fresh.replace(place.config)


def _initdb(data: Path, *, programs: Programs, major: int) -> list[str]:
    # The same order of texts on every machine: by code point, not by the system's locale.
    builtin = major >= _FIRST_WITH_BUILTIN_LOCALE
    locale = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] if builtin else ["--locale=C.UTF-8"]
    )
    return [
        str(programs.bin / "initdb"),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        *locale,
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        "--no-instructions",
    ]
