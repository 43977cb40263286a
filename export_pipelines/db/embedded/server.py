"""Where a running embedded server is reached."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

SUPERUSER = "postgres"


@dataclass(frozen=True, kw_only=True)
class EmbeddedServer:
    """A server that is up and takes connections.

    Attributes:
        data_dir: its data directory.
        socket_dir: folder of its unix socket; only its own user and root can enter, which is all the access control.
        port: the number in the socket's name.
        pid: its main process.
    """

    data_dir: Path
    socket_dir: Path
    port: int
    pid: int

    def url(self, database: str) -> str:
        """SQLAlchemy URL for our own code (psycopg 3)."""
        return self._url("postgresql+psycopg", database)

    def libpq_url(self, database: str) -> str:
        """URL for psql, psycopg and everything else that speaks libpq's syntax."""
        return self._url("postgresql", database)

    def dagster_url(self, database: str) -> str:
        """SQLAlchemy URL for Dagster's storage, whose NOTIFY statements only psycopg2 accepts."""
        return self._url("postgresql+psycopg2", database)

    def _url(self, scheme: str, database: str) -> str:
        return f"{scheme}://{SUPERUSER}@/{quote(database, safe='')}?host={quote(str(self.socket_dir))}&port={self.port}"
