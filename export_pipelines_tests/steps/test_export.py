"""A whole export: every type completes, gives the same bytes again, and never publishes half."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from export_pipelines.catalog.export_type import Streamed
from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import FidelityError, IntegrityError, SupersededError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, events, jobs, leases
from export_pipelines.db.reading import rows_of
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.steps.begin import begin
from export_pipelines.steps.export import run_export
from export_pipelines.steps.load import load
from export_pipelines.steps.package import package
from export_pipelines.steps.record import record
from export_pipelines.steps.render import render
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.upload import upload
from export_pipelines.steps.verify import verify_job
from export_pipelines_tests.steps.orders import EVALUATION, order

NAMES = [type_.name for type_ in EVALUATION]


def export(services: Services, type_name: str, **options: object) -> tuple[ExportJob, bytes]:
    job = run_export(services, submit(services, order(type_name, **options)).id)
    assert job.output_path is not None
    with services.store.open(job.output_path) as stream:
        return job, stream.read()


@pytest.mark.parametrize("type_name", NAMES)
def test_every_type_completes_with_link_size_count_checksum_and_expiry(services: Services, type_name: str) -> None:
    job, data = export(services, type_name)
    assert job.status is JobStatus.COMPLETED
    assert job.progress_percent == 100
    assert job.output_size_bytes == len(data)
    assert job.record_count is not None
    assert job.record_count > 0
    assert job.output_url is not None
    assert job.output_url.startswith("http://127.0.0.1:8010/downloads/")
    assert job.expires_at is not None
    assert job.completed_at is not None
    assert (job.expires_at - job.completed_at).total_seconds() == 24 * 3600


@pytest.mark.parametrize("type_name", NAMES)
def test_the_same_data_gives_the_same_bytes_again(services: Services, type_name: str) -> None:
    first, data = export(services, type_name)
    second, again = export(services, type_name)
    assert first.id != second.id
    assert data == again
    assert first.checksum == second.checksum


@pytest.mark.parametrize("type_name", ["RUN_BUNDLE", "BULK_JSONL", "BULK_CSV"])
def test_how_the_rows_were_cut_into_shards_does_not_show_in_flat_files(services: Services, type_name: str) -> None:
    many, data = export(services, type_name)
    whole = replace(services, settings=replace(services.settings, shard_bytes=1 << 30))
    one, again = export(whole, type_name)
    assert many.record_count == one.record_count
    if type_name == "RUN_BUNDLE":
        with zipfile.ZipFile(io.BytesIO(data)) as a, zipfile.ZipFile(io.BytesIO(again)) as b:
            assert {name: a.read(name) for name in a.namelist()} == {name: b.read(name) for name in b.namelist()}
    else:
        assert data == again


def tables(services: Services, job: ExportJob) -> list[pa.Table]:
    """What a BULK_PARQUET export holds, file by file in the order of names."""
    assert job.output_path is not None
    with services.store.open(job.output_path) as stream, zipfile.ZipFile(io.BytesIO(stream.read())) as archive:
        assert archive.testzip() is None
        names = sorted(name for name in archive.namelist() if name.endswith(".parquet"))
        assert {archive.getinfo(name).compress_type for name in names} == {zipfile.ZIP_STORED}
        return [parquet.read_table(io.BytesIO(archive.read(name))) for name in names]


def test_how_the_rows_were_cut_into_shards_does_not_show_in_tables_put_together(services: Services) -> None:
    many, _ = export(services, "BULK_PARQUET")
    whole = replace(services, settings=replace(services.settings, shard_bytes=1 << 30))
    one, _ = export(whole, "BULK_PARQUET")
    parts = tables(services, many)
    assert len(parts) > 1
    assert [pa.concat_tables(parts).combine_chunks()] == [table.combine_chunks() for table in tables(whole, one)]
    assert many.record_count == one.record_count == sum(table.num_rows for table in parts)


def test_tables_hold_what_json_lines_hold(services: Services) -> None:
    job, _ = export(services, "BULK_PARQUET")
    _, lines = export(services, "BULK_JSONL")
    rows = pa.concat_tables(tables(services, job)).to_pylist()
    for row, line in zip(rows, map(json.loads, lines.splitlines()), strict=True):
        moment = row["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert (row["transcript_id"], moment) == (line["transcript_id"], line["created_at"])
        assert row["estimated_cost"] == line["estimated_cost"]
        assert (row["content"] and json.loads(row["content"])) == line["content"]
        assert row["scenario_name"] == line["scenario"]["name"]


def test_independent_readers_count_what_the_row_says(services: Services) -> None:
    jsonl, lines = export(services, "BULK_JSONL")
    table, cells = export(services, "BULK_CSV")
    scenarios, text = export(services, "SCENARIOS_YAML")
    assert len([json.loads(line) for line in lines.splitlines()]) == jsonl.record_count
    assert len(list(csv.DictReader(io.StringIO(cells.decode("utf-8-sig"), newline="")))) == table.record_count
    assert len(yaml.safe_load(text)["scenarios"]) == scenarios.record_count
    assert jsonl.record_count == table.record_count


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_compressed_file_holds_the_uncompressed_one(services: Services, codec: str) -> None:
    import gzip

    import zstandard

    _, plain = export(services, "BULK_CSV", profile="flat")
    job, packed = export(services, "BULK_CSV", profile="flat", compression=codec)
    opened = (
        gzip.decompress(packed)
        if codec == "gzip"
        else zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read()
    )
    assert opened == plain
    assert job.output_path is not None
    assert job.output_path.endswith({"gzip": ".csv.gz", "zstd": ".csv.zst"}[codec])


def test_the_sidecar_lies_beside_the_file_and_says_what_the_row_says(services: Services) -> None:
    job, _ = export(services, "BULK_JSONL")
    path = services.store.local_path(f"{job.output_path}.manifest.json")
    assert path is not None
    sidecar = json.loads(path.read_bytes())
    assert sidecar["file"]["sha256"] == job.checksum
    assert sidecar["record_count"] == sidecar["counted_rows"] == job.record_count
    assert sidecar["job"]["id"] == job.id
    assert sidecar["subject"]["id"] == SHOWCASE_RUN_ID
    assert sidecar["snapshot"]["id"]
    assert len(sidecar["shards"]) > 1


def test_strict_fails_before_anything_is_published_and_names_what_differs(services: Services) -> None:
    job = submit(services, order("BULK_CSV", strict=True))
    with pytest.raises(FidelityError, match="strict"):
        run_export(services, job.id)
    failed = jobs.get(services.database, job.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error
    assert list(services.store.list("exports/")) == []


def test_a_lost_part_is_noticed_and_rendered_again_by_a_retry(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from export_pipelines.steps import export as whole

    job = submit(services, order("RUN_BUNDLE"))

    def lose_one(services: Services, type_: object, task: object) -> object:
        return None if task.shard.index == 1 else render(services, type_, task)  # type: ignore[attr-defined]

    monkeypatch.setattr(whole, "render", lose_one)
    monkeypatch.setattr(whole, "package", lambda s, t, f, parts: package(s, t, f, [p for p in parts if p]))
    with pytest.raises(IntegrityError, match="shard 1 was planned but never rendered"):
        run_export(services, job.id, alone=False)
    monkeypatch.undo()
    done = run_export(services, job.id, alone=False)
    assert done.status is JobStatus.COMPLETED
    assert done.attempt == 1
    assert done.checksum == export(services, "RUN_BUNDLE")[0].checksum


def test_damaged_staging_is_noticed_and_nothing_is_published(services: Services) -> None:

    job = begin(services, submit(services, order("RUN_BUNDLE")).id, dagster_run_id=None)
    frozen = load(services, export_type("RUN_BUNDLE"), job)
    path = services.store.local_path(frozen.shards[0].staged.key)
    assert isinstance(path, Path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError):
        render(services, export_type("RUN_BUNDLE"), frozen.tasks()[0])


def test_an_interrupted_job_goes_on_from_what_was_frozen(services: Services) -> None:

    job = begin(services, submit(services, order("RUN_BUNDLE")).id, dagster_run_id=None)
    load(services, export_type("RUN_BUNDLE"), job)
    # The worker dies here; whatever happens to the rows now does not show in the file.
    with services.database.raw_connection() as connection:
        connection.execute("DELETE FROM evaluation.transcripts")
        connection.commit()
    done = run_export(services, job.id)
    assert done.attempt == 1
    assert done.record_count
    assert done.record_count > 0


def test_a_job_whose_frozen_rows_are_gone_begins_a_new_attempt(services: Services) -> None:

    job = begin(services, submit(services, order("RUN_BUNDLE")).id, dagster_run_id=None)
    frozen = load(services, export_type("RUN_BUNDLE"), job)
    services.store.delete(frozen.shards[0].staged.key)
    done = run_export(services, job.id)
    assert done.attempt == 2
    assert done.checksum == export(services, "RUN_BUNDLE")[0].checksum


def test_a_job_whose_staging_is_gone_says_that_it_begins_anew_in_events_and_audit(services: Services) -> None:
    job = begin(services, submit(services, order("BULK_JSONL")).id, dagster_run_id=None)
    load(services, export_type("BULK_JSONL"), job)
    for facts in list(services.store.list("staging/")):
        services.store.delete(facts.key)
    assert run_export(services, job.id).attempt == 2
    told = [(event.attempt, event.message) for event in events.list_events(services.database, job.id)]
    assert (
        2,
        "started again from nothing: what attempt 1 read is not, or no longer, all in staging",
    ) in told
    started = [entry.data for entry in audit.list_for_job(services.database, job.id) if entry.action == "started"]
    assert started == [
        {"attempt": 1, "dagster_run_id": None},
        {"attempt": 2, "dagster_run_id": None, "continued": False},
    ]


def test_a_cancelled_job_stays_cancelled_and_leaves_no_file(services: Services) -> None:

    job = submit(services, order("BULK_JSONL"))

    type_ = export_type("BULK_JSONL")
    with leases.hold(services.database, job.id):
        begun = begin(services, job.id, dagster_run_id=None)
        frozen = load(services, type_, begun)
        stored = upload(
            services, package(services, type_, frozen, [render(services, type_, t) for t in frozen.tasks()])
        )
        jobs.cancel(services.database, job.id, now=services.clock())
        with pytest.raises(SupersededError):
            record(services, stored)
    assert jobs.get(services.database, job.id).status is JobStatus.CANCELLED
    assert list(services.store.list("exports/")) == []


@pytest.mark.parametrize("type_name", ["RUN_BUNDLE", "BULK_JSONL", "BULK_CSV", "BULK_PARQUET"])
def test_a_run_without_transcripts_gives_a_whole_file_without_records(services: Services, type_name: str) -> None:
    with services.database.raw_connection() as connection:
        found = connection.execute(
            "SELECT id FROM evaluation.runs r WHERE status = 'COMPLETED' AND deleted_at IS NULL AND NOT EXISTS "
            "(SELECT FROM evaluation.transcripts t WHERE t.run_id = r.id)"
        ).fetchone()
    assert found is not None
    job = run_export(services, submit(services, replace(order(type_name), run_id=found[0])).id)
    assert (job.status, job.record_count) == (JobStatus.COMPLETED, 0)
    assert job.output_path is not None
    if type_name == "RUN_BUNDLE":
        with services.store.open(job.output_path) as stream, zipfile.ZipFile(io.BytesIO(stream.read())) as archive:
            assert archive.testzip() is None
            assert f"run_{found[0]}/manifest.yaml" in archive.namelist()
    if type_name == "BULK_PARQUET":
        [table] = tables(services, job)
        assert (table.num_rows, "freedom" in table.schema.names, len(table.schema)) == (0, False, 17)
    assert verify_job(services, job.id).problems == ()


def test_an_unfinished_run_says_partial_in_row_and_manifest(services: Services) -> None:
    with services.database.raw_connection() as connection:
        running = connection.execute("SELECT id FROM evaluation.runs WHERE status = 'RUNNING'").fetchone()
    assert running is not None
    asked = replace(order("BULK_JSONL", allow_partial=True), run_id=running[0])
    job = run_export(services, submit(services, asked).id)
    with services.store.open(f"{job.output_path}.manifest.json") as stream:
        manifest = json.loads(stream.read())
    assert manifest["partial"] is True
    assert [note["kind"] for note in job.fidelity] == [note["kind"] for note in manifest["fidelity"]]
    assert "partial_run" in {note["kind"] for note in job.fidelity}


@pytest.mark.parametrize("type_name", NAMES)
def test_what_was_published_verifies_and_a_flipped_byte_does_not(services: Services, type_name: str) -> None:
    job, data = export(services, type_name)
    assert verify_job(services, job.id).problems == ()
    assert job.output_path is not None
    path = services.store.local_path(job.output_path)
    assert path is not None
    path.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    assert verify_job(services, job.id).problems


@pytest.mark.parametrize("type_name", ["BULK_JSONL", "BULK_CSV", "BULK_PARQUET", "RUN_BUNDLE"])
def test_the_file_is_the_same_however_many_connections_read(
    services: Services, type_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, _ = export(services, type_name)
    monkeypatch.setattr("export_pipelines.steps.load.rows_of", partial(rows_of, range_rows=7))
    several = replace(services, settings=replace(services.settings, readers=3))
    together, _ = export(several, type_name)
    assert (together.checksum, together.record_count) == (alone.checksum, alone.record_count)


@pytest.mark.parametrize(
    ("type_name", "options"),
    [
        *((name, {"compression": codec}) for name in ("BULK_JSONL", "BULK_CSV") for codec in ("none", "gzip", "zstd")),
        ("BULK_PARQUET", {}),
        ("RUN_BUNDLE", {}),
    ],
)
def test_rows_rendered_as_they_come_give_the_file_that_frozen_rows_give(
    services: Services, type_name: str, options: dict[str, str]
) -> None:
    streamed = export_type(type_name)
    packages = []
    for type_ in (streamed, replace(streamed, streamed=Streamed.NEVER)):
        job = begin(services, submit(services, order(type_name, **options)).id, dagster_run_id=None)
        frozen = load(services, type_, job, alone=True)
        assert len(frozen.shards) > 1
        assert bool(frozen.streamed) == (type_ is streamed)
        parts = [render(services, type_, task) for task in frozen.tasks()]
        packages.append(package(services, type_, frozen, parts))
    one, other = packages
    assert (one.sha256, one.size, one.record_count) == (other.sha256, other.size, other.record_count)
    assert one.fidelity == other.fidelity


def test_a_streamed_file_is_published_by_its_second_name_and_not_copied(services: Services) -> None:
    job, _ = export(services, "BULK_JSONL")
    assert job.output_path is not None
    path = services.store.local_path(job.output_path)
    assert path is not None
    assert path.stat().st_nlink == 2


@pytest.mark.parametrize("type_name", ["BULK_CSV", "BULK_PARQUET", "RUN_BUNDLE"])
def test_what_was_streamed_and_is_gone_is_made_anew_under_a_new_attempt(services: Services, type_name: str) -> None:
    job = begin(services, submit(services, order(type_name)).id, dagster_run_id=None)
    frozen = load(services, export_type(type_name), job, alone=True)
    services.store.delete(frozen.streamed[0].key)
    with pytest.raises(IntegrityError, match=f"jobs retry {job.id}"):
        render(services, export_type(type_name), frozen.tasks()[0])
    assert run_export(services, job.id).attempt == 2
