"""Opening what a command works with: settings, database, store, clock."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from export_pipelines.core.settings import Settings, read_settings
from export_pipelines.db.database import Database, open_database
from export_pipelines.steps.services import Services
from export_pipelines.storage.open import open_store

ANSWER_SECONDS = 15
"""Longest that a statement may take while somebody waits for an answer over HTTP."""
SERVING_CONNECTIONS = 20


def settings() -> Settings:
    """The deployment's settings, from the environment."""
    return read_settings(os.environ)


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


@contextmanager
def database() -> Iterator[Database]:
    """The database; started first when it is the embedded one."""
    opened = open_database(settings())
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def services(*, serving: bool = False) -> Iterator[Services]:
    """Everything a step talks to; a service has many threads, and no time for statements that take long."""
    chosen = settings()
    store = open_store(chosen.effective_store_url)
    bounds = {"answer_seconds": ANSWER_SECONDS, "connections": SERVING_CONNECTIONS} if serving else {}
    with closing(open_database(chosen, **bounds)) as opened:
        yield Services(database=opened, store=store, settings=chosen, clock=now)
