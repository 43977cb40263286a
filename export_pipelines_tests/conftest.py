"""Fixtures for every test: a real PostgreSQL, and databases and settings on it."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from export_pipelines.core.settings import Settings
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines_tests import postgres

if TYPE_CHECKING:
    from export_pipelines.db.database import Database

# Property-based tests run beside others on few cores: what takes long is no failure.
settings.register_profile("shared_cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared_cores")

_HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The process that owns the session names the server's folder; xdist's workers inherit the name."""
    hear_interrupts()
    if not hasattr(config, "workerinput"):
        config.stash[_HOME] = postgres.open_session()


def hear_interrupts() -> None:
    """Let Ctrl-C mean here, and to all programs that are started from here, what it means to those of a terminal.

    A script's background ignores it, and so do its children. Dagster has SIGTERM do what Ctrl-C does, also in a process
    that has carried out a run: whatever such a process starts would ignore both.
    """
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that share a deployment have to run in one process, in their order; a group that groups nothing is one."""
    if config.getoption("loadgroup", default=False):
        apart = [item.nodeid for item in items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
        if apart:
            raise RuntimeError(f"this pytest-xdist does not keep groups together: {apart[0]}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """And removes the server when the session is over."""
    if _HOME in config.stash:
        postgres.close_session(config.stash[_HOME])


@pytest.fixture(scope="session")
def postgres_server() -> EmbeddedServer:
    """The session's server, shared by all workers."""
    return postgres.start()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: EmbeddedServer) -> str:
    """SQLAlchemy URL of the maintenance database: for looking at the server, not for making tables."""
    return postgres_server.url("postgres")


@pytest.fixture
def empty_database(postgres_server: EmbeddedServer) -> Iterator[str]:
    """SQLAlchemy URL of a new, empty database."""
    with postgres.new_database(postgres_server) as name:
        yield postgres_server.url(name)


@pytest.fixture(scope="session")
def migrated_template(postgres_server: EmbeddedServer) -> str:
    """Name of a database with all tables and no rows; nobody connects to it."""
    # A session without database tests need not wait for SQLAlchemy and Alembic to load.
    from export_pipelines.db import migrate

    return postgres.template(postgres_server, "test_migrated", fill=migrate.upgrade)


@pytest.fixture(scope="session")
def seeded_template(postgres_server: EmbeddedServer, migrated_template: str) -> str:
    """Name of a database with the demonstration data; nobody connects to it."""
    from export_pipelines.db.seed import seed

    return postgres.template(postgres_server, "test_seeded", fill=seed, source=migrated_template)


@pytest.fixture
def database(postgres_server: EmbeddedServer, migrated_template: str) -> "Iterator[Database]":
    """A database of the test's own with all tables and no rows."""
    with postgres.opened(postgres_server, template=migrated_template) as database:
        yield database


@pytest.fixture
def seeded_database(postgres_server: EmbeddedServer, seeded_template: str) -> "Iterator[Database]":
    """A database of the test's own with the demonstration data."""
    with postgres.opened(postgres_server, template=seeded_template) as database:
        yield database


@pytest.fixture
def settings(tmp_path: Path, database: "Database") -> Settings:
    """Settings of a deployment of the test's own: its home, its migrated database, its store."""
    return Settings(home=tmp_path, database_url=database.url, store_url=(tmp_path / "store").as_uri())
