"""Dagster runs read where things are from the environment; here it names a test's own database and folder."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from export_pipelines.core.settings import PREFIX
from export_pipelines.db.database import Database


@pytest.fixture
def deployment(tmp_path: Path, seeded_database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The environment of a deployment with the demonstration data, in small shards."""
    monkeypatch.setenv(f"{PREFIX}HOME", str(tmp_path))
    monkeypatch.setenv(f"{PREFIX}DATABASE_URL", seeded_database.url)
    monkeypatch.setenv(f"{PREFIX}STORE_URL", (tmp_path / "store").as_uri())
    monkeypatch.setenv(f"{PREFIX}SHARD_BYTES", "40000")
    return seeded_database


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance
