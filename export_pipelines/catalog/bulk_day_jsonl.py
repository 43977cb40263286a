"""BULK_DAY_JSONL: every transcript that was created on one day, whole, one JSON object a line."""

from export_pipelines.catalog.export_type import ExportType, Streamed, Subject
from export_pipelines.catalog.options import COMPRESSION, STRICT
from export_pipelines.db.sources.days import read_day
from export_pipelines.db.sources.sizes import DAY
from export_pipelines.rendering.day_jsonl import DayJsonl

BULK_DAY_JSONL = ExportType(
    name="BULK_DAY_JSONL",
    title="Transcripts of a day (JSON Lines)",
    description="Every transcript created on one UTC day, of all runs, one JSON object a line.",
    subject=Subject.DAY,
    noun="transcripts",
    extension=".jsonl",
    media_type="application/x-ndjson",
    file_format="jsonl",
    options=(COMPRESSION, STRICT),
    sizing=DAY,
    read=read_day,
    stem=lambda context: f"transcripts_{context['day']}",
    format=DayJsonl(),
    streamed=Streamed.ALWAYS,
)
