"""BULK_PARQUET: the transcripts of a run as a typed table, for DuckDB, pandas, Polars and Spark."""

from export_pipelines.catalog.export_type import ExportType, Streamed, Subject
from export_pipelines.catalog.options import ALLOW_PARTIAL, STRICT
from export_pipelines.db.sources.sizes import TRANSCRIPTS
from export_pipelines.db.sources.transcripts import read_table
from export_pipelines.rendering.parquet import TranscriptsParquet

BULK_PARQUET = ExportType(
    name="BULK_PARQUET",
    title="Transcripts (Parquet)",
    description="Every transcript of a run with metrics, dimensions, responses and content, as Parquet files in a ZIP.",
    subject=Subject.RUN,
    noun="transcripts",
    extension=".zip",
    media_type="application/zip",
    file_format="zip",
    options=(ALLOW_PARTIAL, STRICT),
    read=read_table,
    sizing=TRANSCRIPTS,
    stem=lambda context: f"run_{context['run']['id']}_parquet",
    format=TranscriptsParquet(),
    streamed=Streamed.ALWAYS,
)
