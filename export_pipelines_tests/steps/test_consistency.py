"""Whoever writes meanwhile, everything in one export is of one instant; and without the snapshot it would not be."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from pyarrow import parquet

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.core.settings import Settings
from export_pipelines.db import jobs
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.steps import staging
from export_pipelines.steps.contexts import read_context
from export_pipelines.steps.export import run_export
from export_pipelines.steps.load import frozen_before
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.verify import verify_job
from export_pipelines_tests.steps.busy_writer import Promises, WithoutSnapshot, commits, writing
from export_pipelines_tests.steps.orders import order

EXPORTS = 3
"""Of each type, one after the other, while the writer writes."""

TRIES = 40
"""Exports without a snapshot until one is torn; usually the first is."""

READERS = (1, 3) if "readers" in {field.name for field in fields(Settings)} else (None,)
"""Connections that read one export at once, where a deployment can set their number."""

TYPES: Mapping[str, Mapping[str, Any]] = {
    "RUN_BUNDLE": {},
    "BULK_JSONL": {},
    "BULK_CSV": {"profile": "flat"},
    "BULK_PARQUET": {},
}


@pytest.fixture(params=READERS, ids=lambda count: f"readers-{count or 'default'}")
def services(services: Services, request: pytest.FixtureRequest) -> Services:
    """With the machine's clock, and so many readers."""
    chosen = {} if request.param is None else {"readers": request.param}
    return replace(services, settings=replace(services.settings, **chosen), clock=lambda: datetime.now(UTC))


@pytest.mark.parametrize("type_name", TYPES)
def test_no_export_shows_a_promise_broken_that_a_writer_keeps_in_every_transaction(
    services: Services, type_name: str
) -> None:
    with writing(services.database, SHOWCASE_RUN_ID):
        seen = [export_while_written(services, type_name) for _ in range(EXPORTS)]
    # Each is of another instant, so it was a moving thing that was caught.
    assert len({promised for promised, _ in seen}) > 1
    assert [kept for _, kept in seen] == [promised for promised, _ in seen]


@pytest.mark.parametrize("type_name", TYPES)
def test_without_the_snapshot_exports_show_it_broken(services: Services, type_name: str) -> None:
    torn = replace(services, database=WithoutSnapshot(services.database.url))
    shown = False
    with writing(services.database, SHOWCASE_RUN_ID):
        for _ in range(TRIES):
            try:
                promised, kept = export_while_written(torn, type_name)
            except IntegrityError as error:
                # Of the two promises, the export checks one itself.
                assert "the snapshot counted" in str(error)  # noqa: PT017 - most exports raise nothing
                continue
            if shown := promised != kept:
                break
    torn.database.close()
    assert shown


def export_while_written(services: Services, type_name: str) -> tuple[Promises, Promises]:
    """What the run's row promises, and what the file holds; the writer must have been at it all the while."""
    before = commits(services.database, SHOWCASE_RUN_ID)
    job = run_export(services, submit(services, order(type_name, **TYPES[type_name])).id)
    assert commits(services.database, SHOWCASE_RUN_ID) > before
    assert verify_job(services, job.id).problems == ()
    data = read(services, job.output_path)
    kept = READ[type_name](data)
    manifest = json.loads(read(services, f"{job.output_path}.manifest.json"))
    assert kept.live == manifest["counted_rows"]
    promised = frozen_promises(services, job)
    if type_name == "RUN_BUNDLE":
        assert promised == promises_in_bundle(data)
    return promised, kept


def frozen_promises(services: Services, job: ExportJob) -> Promises:
    """What the export froze of the run's row."""
    frozen = frozen_before(services, jobs.ref_of(job))
    assert frozen is not None, staging.frozen_key(jobs.ref_of(job))
    return _promises(read_context(services.store, frozen.context)["run"]["config"])


def promises_in_bundle(data: bytes) -> Promises:
    """A bundle has the run's settings in the manifest of the tools."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("run_manifest.yaml")]
        return _promises(yaml.safe_load(archive.read(name))["runtime_config"])


def read(services: Services, key: str | None) -> bytes:
    assert key is not None
    with services.store.open(key) as stream:
        return stream.read()


def of_bundle(data: bytes) -> Promises:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".jsonl")]
        return of_lines(archive.read(name))


def of_lines(data: bytes) -> Promises:
    return _kept(json.loads(line)["token_count"] for line in data.splitlines())


def of_csv(data: bytes) -> Promises:
    return _kept(int(row["token_count"]) for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def of_parquet(data: bytes) -> Promises:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [io.BytesIO(archive.read(name)) for name in archive.namelist() if name.endswith(".parquet")]
    return _kept(tokens for file in files for tokens in parquet.read_table(file)["token_count"].to_pylist())


READ: Mapping[str, Callable[[bytes], Promises]] = {
    "RUN_BUNDLE": of_bundle,
    "BULK_JSONL": of_lines,
    "BULK_CSV": of_csv,
    "BULK_PARQUET": of_parquet,
}


def _kept(tokens: Iterable[int]) -> Promises:
    found = list(tokens)
    return Promises(live=len(found), tokens=sum(found))


def _promises(config: Mapping[str, Any]) -> Promises:
    return Promises(live=config["live"], tokens=config["tokens"])
