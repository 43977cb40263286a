"""A download service under test: a real server on loopback, with finished exports to fetch from it."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.settings import Settings
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.steps.services import Services
from export_pipelines.storage import links
from export_pipelines.storage.store import ObjectStore
from export_pipelines.web.app import create_app
from export_pipelines.web.serve import listen, server
from export_pipelines_tests.db.rows import NOW, add_job, stored_file

SECRET = b"a key for tests, of 32 bytes ...."
MANIFEST = b'{"records": 3}\n'


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(frozen=True, kw_only=True)
class Export:
    """A finished export and the way to it."""

    job: ExportJob
    data: bytes
    token: str

    @property
    def path(self) -> str:
        return f"/downloads/{self.token}"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The running service and what it runs on."""

    url: str
    http: httpx.Client
    database: Database
    store: ObjectStore
    clock: Clock

    def publish(
        self, data: bytes = b"0123456789", *, name: str = "file.csv", hours: float = 24, **fields: object
    ) -> Export:
        """A COMPLETED job with its file and manifest in the store; ``fields`` are the request's."""
        job = jobs.claim(self.database, add_job(self.database, **fields).id, dagster_run_id=None, now=NOW)
        ref = jobs.ref_of(job)
        stored = stored_file(
            ref, key=f"{ref.final_prefix}/{name}", size=len(data), sha256=hashlib.sha256(data).hexdigest()
        )
        for key, content in ((stored.key, data), (stored.key + ".manifest.json", MANIFEST)):
            with self.store.writer(key) as writer:
                writer.write(content)
        expires_at = self.clock.now + timedelta(hours=hours)
        job = jobs.complete(
            self.database, stored, url="http://x/downloads/t", expires_at=expires_at, now=self.clock.now
        )
        return Export(job=job, data=data, token=self.token(job))

    def token(self, job: ExportJob, *, days: int = 30, person: str | None = None) -> str:
        """A token that outlives the row, unless told otherwise."""
        return links.mint(SECRET, job_id=job.id, expires_at=self.clock.now + timedelta(days=days), person=person)

    def count(self, export: Export) -> int:
        """How many downloads the row counts."""
        return jobs.get(self.database, export.job.id).download_count


def services_on(database: Database, store: ObjectStore, clock: Callable[[], datetime], **settings: object) -> Services:
    """Collaborators of a service; ``settings`` where they are not the defaults."""
    chosen = replace(Settings(home=Path("nowhere")), **settings)  # type: ignore[arg-type]
    return Services(database=database, store=store, settings=chosen, clock=clock)


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """The address of a server that runs the app in a thread."""
    listener = listen("127.0.0.1", 0)
    running_server = server(app)
    thread = threading.Thread(target=running_server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running_server.should_exit = True
        thread.join(timeout=60)
        listener.close()


@contextmanager
def site(database: Database, store: ObjectStore, *, redirect: bool = True) -> Iterator[Site]:
    """The whole service on this database and store."""
    clock = Clock()
    app = create_app(services_on(database, store, clock, redirect_downloads=redirect), secret=SECRET)
    with running(app) as url, httpx.Client(base_url=url, timeout=30) as http:
        yield Site(url=url, http=http, database=database, store=store, clock=clock)
