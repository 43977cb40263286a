"""A PostgreSQL server that may be killed, with the demonstration data, beside the one that tests share."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from export_pipelines.core.settings import Settings
from export_pipelines.db import embedded, migrate
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.seed import seed
from export_pipelines.steps.services import Services
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests import postgres
from export_pipelines_tests.deployments import SECRETS, Deployment

SHARD_BYTES = 40_000
"""Small, so that the demonstration data has several shards."""

_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class OwnServer:
    """A server, by its home; whatever happens to it, it is found under the same address again.

    Attributes:
        template: a database with the demonstration data, to copy others from.
    """

    home: Path
    address: EmbeddedServer
    template: str

    def kill(self) -> None:
        """End its main process without a word; its other processes notice and follow."""
        running = embedded.status(self.home)
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        give_up = time.monotonic() + _SECONDS
        while embedded.status(self.home) is not None:
            assert time.monotonic() < give_up
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it in order, ending its sessions."""
        embedded.stop(self.home)

    def start(self) -> None:
        """Make sure that it runs."""
        embedded.ensure_running(self.home)

    @contextmanager
    def deployment(self, home: Path) -> Iterator[Deployment]:
        """A deployment on a database of its own in this server."""
        with postgres.opened(self.address, template=self.template) as database:
            settings = Settings(
                home=home, database_url=database.url, link_secret=SECRETS["links"], shard_bytes=SHARD_BYTES
            )
            store = LocalStore(home / "store")
            yield Deployment(
                services=Services(database=database, store=store, settings=settings, clock=lambda: datetime.now(UTC))
            )


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A new server, removed afterwards."""
    home = postgres.reachable_folder(f"{postgres.PREFIX}{os.getpid()}-")
    try:
        address = embedded.ensure_running(home)
        with postgres.opened_named(address) as (template, database):
            migrate.upgrade(database)
            seed(database)
            database.close()
            yield OwnServer(home=home, address=address, template=template)
            embedded.ensure_running(home)
    finally:
        embedded.remove(home)
        shutil.rmtree(home, ignore_errors=True)
