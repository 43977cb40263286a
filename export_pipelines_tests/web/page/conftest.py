"""One service for all tests of the page, and people of their own for each: a page shows its visitor's things only."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from export_pipelines.core.ids import new_id
from export_pipelines.core.settings import Settings
from export_pipelines.db import administrators
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.evaluation import users
from export_pipelines.steps.services import Services
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests import postgres
from export_pipelines_tests.db.rows import add_user
from export_pipelines_tests.web.api_site import PEOPLE, ApiSite, api_site

PASSWORD = "lantern and ladder"


@pytest.fixture(scope="session")
def everybodys(
    postgres_server: EmbeddedServer, seeded_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiSite]:
    home = tmp_path_factory.mktemp("page")
    settings = Settings(home=home, store_url=(home / "store").as_uri(), dagster_url="http://127.0.0.1:9")
    with postgres.opened(postgres_server, template=seeded_template) as database:
        store = LocalStore(home / "store")
        services = Services(database=database, store=store, settings=settings, clock=lambda: datetime.now(UTC))
        with api_site(services) as running:
            yield running


@pytest.fixture
def api(everybodys: ApiSite) -> ApiSite:
    """The service for people who have nothing yet; its clients with keys are other people's."""
    database, now = everybodys.services.database, everybodys.services.clock()
    people = {name: add_user(database) for name in PEOPLE}
    administrators.appoint(database, people["administrator"], now=now)
    return replace(everybodys, people=people, keys={}, clients={})


@pytest.fixture
def grace(api: ApiSite) -> ApiSite:
    """The service, whose owner can log in: by :func:`email_of` and :data:`PASSWORD`."""
    email, now = f"{new_id()}@example.org", api.services.clock()
    made = users.create(api.services.database, email=email, password=PASSWORD, now=now)
    return replace(api, people={**api.people, "owner": made.id})
