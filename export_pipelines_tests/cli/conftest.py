"""The command line runs as its script, on deployments with the demonstration data."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from export_pipelines.core.settings import Settings
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.steps.services import Services
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests import postgres
from export_pipelines_tests.deployments import SECRETS, Deployment


@pytest.fixture(scope="session")
def dagster_url(postgres_server: EmbeddedServer) -> Iterator[str]:
    """Where the runs of one worker's tests are kept; its tables are made once."""
    with postgres.new_database(postgres_server) as name:
        yield postgres_server.url(name)


@pytest.fixture(scope="module")
def shared(
    postgres_server: EmbeddedServer, seeded_template: str, dagster_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """One deployment for all tests of a module that get along with what the others made."""
    with _opened(postgres_server, seeded_template, dagster_url, tmp_path_factory.mktemp("home")) as deployment:
        yield deployment


@pytest.fixture
def deployment(
    postgres_server: EmbeddedServer, seeded_template: str, dagster_url: str, tmp_path: Path
) -> Iterator[Deployment]:
    """A deployment of the test's own."""
    with _opened(postgres_server, seeded_template, dagster_url, tmp_path / "home") as deployment:
        yield deployment


@contextmanager
def _opened(server: EmbeddedServer, template: str, dagster_url: str, home: Path) -> Iterator[Deployment]:
    with postgres.opened(server, template=template) as database:
        services = Services(
            database=database,
            store=LocalStore(home / "store"),
            settings=Settings(home=home, link_secret=SECRETS["links"], shard_bytes=40_000),
            clock=lambda: datetime.now(UTC),
        )
        yield Deployment(services=services, dagster_url=dagster_url)
