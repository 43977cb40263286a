"""Fixtures for every test: a real PostgreSQL, and databases and settings on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from export_pipelines.core.settings import Settings
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines_tests import postgres

_HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """The process that owns the session names the server's folder; xdist's workers inherit the name."""
    if not hasattr(config, "workerinput"):
        config.stash[_HOME] = postgres.open_session()


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


@pytest.fixture
def settings(tmp_path: Path, empty_database: str) -> Settings:
    """Settings of a deployment of the test's own: its home, its database, its store."""
    return Settings(home=tmp_path, database_url=empty_database, store_url=(tmp_path / "store").as_uri())
