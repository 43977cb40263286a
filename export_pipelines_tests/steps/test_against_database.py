"""A file against the database of today: missing, extra and changed are three things, each with its id."""

import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from export_pipelines.catalog.types import export_type
from export_pipelines.core.errors import ValidationError
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.packaging.differences import State
from export_pipelines.steps.against_database import Comparison, compare
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.verify import Published, published, verify_job
from export_pipelines_tests.steps.orders import order

TYPES: list[tuple[str, dict[str, Any]]] = [
    ("BULK_JSONL", {}),
    ("BULK_JSONL", {"compression": "gzip"}),
    ("BULK_DAY_JSONL", {}),
    ("BULK_CSV", {}),
    ("BULK_CSV", {"profile": "flat", "compression": "zstd"}),
    ("BULK_PARQUET", {}),
    ("RUN_BUNDLE", {}),
    ("DEFINITION_MD", {}),
    ("SCENARIOS_YAML", {}),
]
OF_RUNS = [(name, options) for name, options in TYPES if export_type(name).subject_field == "run_id"]
COPY = """
INSERT INTO evaluation.transcripts SELECT (jsonb_populate_record(t, jsonb_build_object('id', %s::text))).*
FROM evaluation.transcripts t WHERE id = %s
"""


@dataclass(frozen=True, kw_only=True)
class Exported:
    services: Services
    found: Published
    job_id: str

    def compare(self) -> Comparison:
        return compare(self.services, self.found.path, manifest=self.found.manifest)

    def change(self, sql: str, *params: object) -> None:
        with self.services.database.raw_connection() as connection:
            connection.execute(sql.encode(), params)
            connection.commit()

    def transcripts(self) -> list[str]:
        with self.services.database.raw_connection() as connection:
            rows = connection.execute(
                "SELECT id FROM evaluation.transcripts WHERE run_id = %s AND content IS NOT NULL ORDER BY id DESC",
                [SHOWCASE_RUN_ID],
            )
            return [id_ for (id_,) in rows]


@contextmanager
def exported(services: Services, type_name: str, options: Mapping[str, Any]) -> Iterator[Exported]:
    job = run_export(services, submit(services, order(type_name, **options)).id)
    with published(services, job.id) as found:
        yield Exported(services=services, found=found, job_id=job.id)


def records(comparison: Comparison) -> dict[tuple[str, State], tuple[str, ...]]:
    return {(d.id, d.state): d.fields for d in comparison.differences.listed if d.kind == "record"}


@pytest.mark.parametrize(("type_name", "options"), TYPES)
def test_data_that_stayed_as_it_was_has_no_difference(
    services: Services, type_name: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with exported(services, type_name, options) as file:
        before = sorted(services.store.list(""), key=str)
        comparison = file.compare()
        assert comparison.differences.listed == ()
        assert comparison.differences.counts == {}
        assert comparison.differences.compared["record"] == file.found.manifest.counted_rows
        assert comparison.gone is None
        # Nothing is left behind, in the store or beside it.
        assert sorted(services.store.list(""), key=str) == before
        assert not list(tmp_path.glob("export-pipelines-verify-*"))


@pytest.mark.parametrize(("type_name", "options"), OF_RUNS)
def test_deleted_inserted_and_updated_transcripts_are_told_apart(
    services: Services, type_name: str, options: dict[str, Any]
) -> None:
    with exported(services, type_name, options) as file:
        deleted, hidden, updated, moved, *_ = file.transcripts()
        file.change("DELETE FROM evaluation.transcripts WHERE id = %s", deleted)
        file.change("UPDATE evaluation.transcripts SET deleted_at = now() WHERE id = %s", hidden)
        file.change("UPDATE evaluation.transcripts SET decision_code = '9' WHERE id = %s", updated)
        file.change("UPDATE evaluation.transcripts SET target_model = 'aaa:new' WHERE id = %s", moved)
        file.change(COPY, "cnew", updated)
        comparison = file.compare()
        code, model = (
            ("Decision Code", "AI Model Name")
            if options == {} and type_name == "BULK_CSV"
            else (
                "decision_code",
                "target_model",
            )
        )
        assert records(comparison) == {
            (deleted, State.MISSING): (),
            (hidden, State.MISSING): (),
            ("cnew", State.EXTRA): (),
            (updated, State.CHANGED): (code,),
            (moved, State.CHANGED): (model,),
        }
        # The file itself is what was published all the same.
        assert verify_job(services, file.job_id).problems == ()


def test_a_bundle_names_the_members_that_would_differ_too(services: Services) -> None:
    with exported(services, "RUN_BUNDLE", {}) as file:
        deleted, updated, *_ = file.transcripts()
        file.change("DELETE FROM evaluation.transcripts WHERE id = %s", deleted)
        file.change("UPDATE evaluation.transcripts SET content = NULL WHERE id = %s", updated)
        differences = file.compare().differences
        members = {d.id: d.state for d in differences.listed if d.kind == "member"}
        assert members[f"run_{SHOWCASE_RUN_ID}/manifest.yaml"] is State.CHANGED
        assert sum(state is State.MISSING for state in members.values()) == 2
        assert differences.counts["member", State.MISSING] == 2
        assert records(file.compare())[deleted, State.MISSING] == ()
        changed = records(file.compare())[updated, State.CHANGED]
        assert changed
        assert all(name.split(".")[0] == "content" for name in changed)


def test_a_scenario_that_changed_changes_the_transcripts_that_show_it(services: Services) -> None:
    with exported(services, "BULK_JSONL", {}) as file:
        file.change(
            """UPDATE evaluation.scenarios SET content = jsonb_set(content, '{prompt}', '"other"') WHERE id =
            (SELECT scenario_id FROM evaluation.transcripts WHERE id = %s)""",
            file.transcripts()[0],
        )
        found = records(file.compare())
        assert set(found.values()) == {("scenario.prompt",)}
        assert 1 <= len(found) < 93


def test_a_definition_names_what_changed_in_it(services: Services) -> None:
    with exported(services, "DEFINITION_MD", {}) as file:
        file.change(
            """UPDATE evaluation.definitions SET name = 'Renamed', content = jsonb_set(content, '{template}', '"T"')
            WHERE id = %s""",
            SHOWCASE_DEFINITION_ID,
        )
        [(_, fields)] = records(file.compare()).items()
        assert {"name", "content.template"} <= set(fields)
        assert not {"content.preamble", "content.dimensions"} & set(fields)


def test_scenarios_are_compared_entry_by_entry_and_the_preamble_apart(services: Services) -> None:
    with exported(services, "SCENARIOS_YAML", {}) as file:
        file.change(
            """UPDATE evaluation.scenarios SET content = jsonb_set(content, '{prompt}', '"other"') WHERE id =
            (SELECT min(id) FROM evaluation.scenarios WHERE definition_id = %s)""",
            SHOWCASE_DEFINITION_ID,
        )
        file.change(
            "UPDATE evaluation.scenarios SET deleted_at = now() WHERE id = "
            "(SELECT max(id) FROM evaluation.scenarios WHERE definition_id = %s)",
            SHOWCASE_DEFINITION_ID,
        )
        differences = file.compare().differences
        assert {state: count for (kind, state), count in differences.counts.items() if kind == "record"} == {
            State.MISSING: 1,
            State.CHANGED: 1,
        }
        assert [d.fields for d in differences.listed if d.state is State.CHANGED] == [("body",)]


def test_a_new_dimension_is_a_new_column_and_changes_only_the_rows_that_have_it(services: Services) -> None:
    with exported(services, "BULK_CSV", {"profile": "flat"}) as file:
        one = file.transcripts()[0]
        file.change(
            """UPDATE evaluation.scenarios SET content = jsonb_set(content, '{dimensions,Courage}', '3') WHERE id =
            (SELECT scenario_id FROM evaluation.transcripts WHERE id = %s)""",
            one,
        )
        differences = file.compare().differences
        assert differences.counts["part", State.CHANGED] == 1
        found = records(file.compare())
        assert found[one, State.CHANGED] == ("courage",)
        assert len(found) < 93


@pytest.mark.parametrize("type_name", ["BULK_CSV", "BULK_PARQUET", "SCENARIOS_YAML"])
def test_a_subject_that_is_gone_says_so_and_all_its_records_are_missing(services: Services, type_name: str) -> None:
    with exported(services, type_name, {}) as file:
        file.change("UPDATE evaluation.runs SET deleted_at = now()")
        file.change("UPDATE evaluation.definitions SET deleted_at = now()")
        comparison = file.compare()
        assert comparison.snapshot is None
        assert "is deleted" in str(comparison.gone)
        assert comparison.differences.counts["record", State.MISSING] == file.found.manifest.record_count


def test_a_run_that_goes_on_again_is_compared_all_the_same(services: Services) -> None:
    with exported(services, "BULK_JSONL", {}) as file:
        file.change("UPDATE evaluation.runs SET status = 'RUNNING' WHERE id = %s", SHOWCASE_RUN_ID)
        comparison = file.compare()
        assert comparison.gone is None
        assert comparison.differences.counts == {}


def parquet_rows(path: Path, folder: Path) -> Any:
    """The tables of an archive as DuckDB reads them."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return duckdb.sql(f"SELECT * EXCLUDE (filename) FROM read_parquet('{folder}/*/transcripts/*.parquet', filename=1)")


def test_tables_differ_in_what_duckdb_finds_between_two_exports(services: Services, tmp_path: Path) -> None:
    with exported(services, "BULK_PARQUET", {}) as file:
        ids = file.transcripts()
        file.change("DELETE FROM evaluation.transcripts WHERE id = ANY(%s)", ids[:5])
        file.change("UPDATE evaluation.transcripts SET estimated_cost = 9.25 WHERE id = ANY(%s)", ids[5:9])
        file.change("UPDATE evaluation.transcripts SET created_at = 'infinity' WHERE id = ANY(%s)", ids[8:12])
        file.change("UPDATE evaluation.transcripts SET content = NULL WHERE id = ANY(%s)", ids[11:14])
        for number, id_ in enumerate(ids[20:23]):
            file.change(COPY, f"cnew{number}", id_)
        found = {(id_, state) for id_, state in records(file.compare())}
        with exported(services, "BULK_PARQUET", {}) as later:
            before = parquet_rows(file.found.path, tmp_path / "before")
            after = parquet_rows(later.found.path, tmp_path / "after")
            gone = before.project("transcript_id").except_(after.project("transcript_id"))
            new = after.project("transcript_id").except_(before.project("transcript_id"))
            other = after.except_(before).project("transcript_id").except_(new)
            sides = ((gone, State.MISSING), (new, State.EXTRA), (other, State.CHANGED))
            expected = {(id_, state) for rows, state in sides for (id_,) in rows.fetchall()}
            assert before.shape[0] - after.shape[0] == 2
        assert found == expected
        assert len(found) == 5 + 3 + 9


def test_where_files_end_is_no_difference_of_tables(services: Services) -> None:
    with exported(services, "BULK_PARQUET", {}) as file:
        whole = replace(services, settings=replace(services.settings, shard_bytes=1 << 30))
        comparison = compare(whole, file.found.path, manifest=file.found.manifest)
        assert comparison.differences.counts == {}


def test_what_else_a_parquet_archive_says_of_the_data_is_compared_too(services: Services) -> None:
    with exported(services, "BULK_PARQUET", {}) as file:
        one = file.transcripts()[0]
        file.change("UPDATE evaluation.runs SET name = 'Renamed' WHERE id = %s", SHOWCASE_RUN_ID)
        file.change(
            """UPDATE evaluation.scenarios SET content = jsonb_set(content, '{dimensions,Courage}', '3') WHERE id =
            (SELECT scenario_id FROM evaluation.transcripts WHERE id = %s)""",
            one,
        )
        differences = file.compare().differences
        others = {(d.kind, d.id): d.fields for d in differences.listed if d.kind != "record"}
        schema = f"run_{SHOWCASE_RUN_ID}_parquet/schema.json"
        assert others == {
            ("part", "columns"): ("courage",),
            ("part", "run"): ("name",),
            ("member", schema): ("content",),
        }
        found = records(file.compare())
        assert found[one, State.CHANGED] == ("courage",)
        assert len(found) < 93


def test_a_format_that_cannot_be_compared_is_refused(services: Services) -> None:
    with exported(services, "BULK_JSONL", {}) as file:
        manifest = replace(file.found.manifest, file=replace(file.found.manifest.file, format="arrow"))
        with pytest.raises(ValidationError, match="a arrow file cannot be compared"):
            compare(services, file.found.path, manifest=manifest)
