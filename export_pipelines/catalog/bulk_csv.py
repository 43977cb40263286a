"""BULK_CSV: every transcript of a run as a table, for spreadsheets or for statistics."""

from export_pipelines.catalog.export_type import ExportType, Streamed, Subject
from export_pipelines.catalog.options import ALLOW_PARTIAL, COMPRESSION, STRICT, Option
from export_pipelines.db.sources.sizes import RESPONSES
from export_pipelines.db.sources.transcripts import read_responses
from export_pipelines.rendering.transcripts_csv import TranscriptsCsv

PROFILE = Option(
    name="profile",
    default="summary",
    choices=("summary", "flat"),
    description="summary is what the team's spreadsheets read; flat has every metric, exact, for pandas, R and DuckDB.",
)

BULK_CSV = ExportType(
    name="BULK_CSV",
    title="Transcripts (CSV)",
    description="Every transcript of a run as one row: model, dimensions, decision and responses.",
    subject=Subject.RUN,
    noun="transcripts",
    extension=".csv",
    media_type="text/csv; charset=utf-8",
    file_format="csv",
    options=(ALLOW_PARTIAL, COMPRESSION, PROFILE, STRICT),
    read=read_responses,
    sizing=RESPONSES,
    stem=lambda context: f"run_{context['run']['id']}_{context['options']['profile']}",
    format=TranscriptsCsv(),
    streamed=Streamed.ALWAYS,
)
