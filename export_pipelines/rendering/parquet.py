"""BULK_PARQUET: the transcripts of a run as a table in Parquet files, with its schema, in an archive."""

from collections.abc import Iterator
from typing import Any

from export_pipelines.core.archive import Entry, Member
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.bundle_names import part
from export_pipelines.rendering.columns import check_columns
from export_pipelines.rendering.parquet_columns import changed_scores, columns_of, schema_document
from export_pipelines.rendering.transcript_lines import COLUMNS

SCHEMA = "schema.json"


class TranscriptsParquet:
    """The archive format of BULK_PARQUET; rows have the columns of ``transcript_lines.COLUMNS``.

    The tables have a folder of their own: readers that are given a folder take every file in it for a table.
    """

    def entries(self, rows: Iterator[Row], context: Context, report: FidelityReport, *, shard: int) -> Iterator[Entry]:
        """A shard's tables, at least one; the first shard brings the schema.

        Raises:
            ContentError: a transcript's content has an unknown version or a wrong shape.
            IntegrityError: a row is damaged, or not of this context.
        """
        # Whoever only loads the definitions needs no pyarrow.
        from export_pipelines.rendering.parquet_files import write_files  # noqa: PLC0415
        from export_pipelines.rendering.parquet_tables import TranscriptTables, row_groups  # noqa: PLC0415

        check_columns(context, COLUMNS)
        folder = folder_of(context)
        if shard == 0:
            _note_scores(context, report)
            yield Member(name=f"{folder}/{SCHEMA}", data=schema_document(context))
        tables = TranscriptTables(context, report)
        files = write_files(map(tables.table, row_groups(rows)), tables.schema)
        for number, (data, count) in enumerate(files):
            # In the order of names the rows have their order, however many files a shard makes.
            name = f"{folder}/transcripts/part-{shard:05d}-{number:03d}.parquet"
            yield Member(name=name, data=data, rows=count, stored=True)

    def manifest_name(self, context: Context) -> str:
        """Where in the archive its own manifest lies."""
        return f"{folder_of(context)}/manifest.yaml"

    def manifest_head(self, context: Context) -> dict[str, Any]:
        """The run and its definition: facts of the data, nothing of the export."""
        run, definition = context["run"], context["definition"] or {}
        return {
            "run": {name: run.get(name) for name in ("id", "name", "status", "created_at")},
            "definition": {"id": definition.get("id"), "name": definition.get("name")},
        }


def folder_of(context: Context) -> str:
    """The archive's one folder at the top."""
    return f"run_{part(context['run']['id'])}_parquet"


def _note_scores(context: Context, report: FidelityReport) -> None:
    """Note the scores that a column of doubles cannot hold; scenarios are the same in all shards."""
    detail = "the score is a whole number that no double holds; the nearest one stands for it, or null"
    for column in columns_of(context):
        if column.dimension is not None:
            for scenario in changed_scores(context, column):
                report.note("number_rounded", f"column {column.name}", detail, example=scenario)
