"""The download service on a folder, and on a real S3 server; the API on the demonstration data."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database
from export_pipelines.steps.services import Services
from export_pipelines.storage.local import LocalStore
from export_pipelines.storage.s3 import S3Store
from export_pipelines_tests.s3_servers import BUCKET, client_with, rclone_server
from export_pipelines_tests.web.api_site import ApiSite, api_site
from export_pipelines_tests.web.site import Site, site


@pytest.fixture
def local_site(database: Database, tmp_path: Path) -> Iterator[Site]:
    with site(database, LocalStore(tmp_path / "store")) as running:
        yield running


@pytest.fixture
def s3_site(database: Database, tmp_path: Path) -> Iterator[Site]:
    with rclone_server(tmp_path / "s3") as server:
        store = S3Store(client_with(server.environment), bucket=BUCKET, prefix="exports-of-ours")
        with site(database, store) as running:
            yield running


@pytest.fixture
def services(seeded_database: Database, tmp_path: Path) -> Services:
    settings = Settings(home=tmp_path, store_url=(tmp_path / "store").as_uri(), dagster_url="http://127.0.0.1:9")
    store = LocalStore(tmp_path / "store")
    return Services(database=seeded_database, store=store, settings=settings, clock=lambda: datetime.now(UTC))


@pytest.fixture
def api(services: Services) -> Iterator[ApiSite]:
    with api_site(services) as running:
        yield running
