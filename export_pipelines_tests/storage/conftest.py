"""Every kind of store a test can ask for, each with a place of its own in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import pytest

from export_pipelines.storage.open import open_store
from export_pipelines.storage.store import ObjectStore
from export_pipelines_tests.s3_servers import BUCKET, S3Server, client_with, moto_server, rclone_server


@dataclass(frozen=True, kw_only=True)
class Place:
    """A store's address, the variables another process needs to open it, and what kind it is."""

    kind: str
    url: str
    environment: dict[str, str] = field(default_factory=dict)
    server: S3Server | None = None


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with rclone_server(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def s3_clients() -> dict[str, object]:
    """One client a server, since making one takes longer than most tests."""
    return {}


@pytest.fixture(params=["local", "rclone", "moto"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "local":
        return Place(kind="local", url=(tmp_path / "store").as_uri())
    server: S3Server = request.getfixturevalue(request.param)
    url = f"s3://{BUCKET}/tests/{token_hex(6)}"
    return Place(kind=request.param, url=url, environment=server.environment, server=server)


@pytest.fixture
def store(place: Place, s3_clients: dict[str, object]) -> ObjectStore:
    if place.server is None:
        return open_store(place.url)
    if place.server.url not in s3_clients:
        s3_clients[place.server.url] = client_with(place.environment)
    return open_store(place.url, s3_client=s3_clients[place.server.url])
