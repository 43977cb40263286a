"""Steps talk to a real database with the demonstration data, and to a real folder."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from export_pipelines.core.settings import Settings
from export_pipelines.db.database import Database
from export_pipelines.steps.services import Services
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.mail_server import MailServer, mail_server
from export_pipelines_tests.receiver import Receiver, receiver


class Clock:
    """A clock that goes on by a millisecond each time it is asked, and jumps when told to."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def jump(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(tmp_path: Path, seeded_database: Database, clock: Clock) -> Services:
    settings = Settings(
        home=tmp_path,
        database_url=seeded_database.url,
        store_url=(tmp_path / "store").as_uri(),
        # Small shards, so that the demonstration data has several of them.
        shard_bytes=40_000,
    )
    return Services(database=seeded_database, store=LocalStore(tmp_path / "store"), settings=settings, clock=clock)


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("receiver") / "messages") as server:
        yield server


@pytest.fixture
def site(services: Services, mail: MailServer) -> Services:
    """A deployment that sends mail, and whose webhooks may reach this machine."""
    settings = replace(
        services.settings,
        smtp_url=mail.url,
        mail_from="Exports <exports@example.org>",
        link_secret="a key of the links for tests",
        webhook_allow_networks=(ip_network("127.0.0.0/8"),),
    )
    return replace(services, settings=settings)
