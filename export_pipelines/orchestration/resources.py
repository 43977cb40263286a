"""Dagster resources: they hold configuration and a lifetime, and hand out our own plain objects.

Where the database and the store are is a matter of the environment (``EXPORT_PIPELINES_*``, read when a run starts),
never of run config: run config is shown to everybody who may open the UI.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._config.pythonic_config import ConfigurableResourceFactory

from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.settings import read_settings
from export_pipelines.db.database import Database, open_database
from export_pipelines.orchestration.clock import now
from export_pipelines.steps.services import Services, tell_nobody
from export_pipelines.storage.open import open_store
from export_pipelines.storage.store import ObjectStore


class DatabaseResource(ConfigurableResourceFactory[Database]):
    """The application's PostgreSQL, as the environment names it."""

    def create_resource(self, context: dg.InitResourceContext) -> Database:
        """Open the database."""
        return open_database(read_settings(os.environ))

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Database]:
        """Open the database for one step, and close its pool after."""
        database = self.create_resource(context)
        try:
            yield database
        finally:
            database.close()


class StoreResource(ConfigurableResourceFactory[ObjectStore]):
    """The object store, as the environment names it; S3 clients come from dagster-aws."""

    def create_resource(self, context: dg.InitResourceContext) -> ObjectStore:
        """Open the store."""
        return open_configured_store()


def open_configured_store() -> ObjectStore:
    """The store that ``EXPORT_PIPELINES_STORE_URL`` names."""
    url = read_settings(os.environ).effective_store_url
    if not url.startswith("s3:"):
        return open_store(url)
    # Only deployments on S3 pay for importing its client.
    from dagster_aws.s3 import S3Resource  # noqa: PLC0415

    resource = S3Resource(
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"),
        region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
    )
    return open_store(url, s3_client=resource.get_client())


def services_of(
    database: Database, store: ObjectStore, *, tell: Callable[[ExportJob, str], None] = tell_nobody
) -> Services:
    """What the steps talk to, from an op's resources."""
    return Services(database=database, store=store, settings=read_settings(os.environ), clock=now, tell=tell)
