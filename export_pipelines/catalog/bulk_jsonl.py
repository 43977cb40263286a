"""BULK_JSONL: every transcript of a run, whole, one JSON object a line."""

from export_pipelines.catalog.export_type import ExportType, Streamed, Subject
from export_pipelines.catalog.options import ALLOW_PARTIAL, COMPRESSION, STRICT
from export_pipelines.db.sources.sizes import TRANSCRIPTS
from export_pipelines.db.sources.transcripts import read_transcripts
from export_pipelines.rendering.jsonl import TranscriptsJsonl

BULK_JSONL = ExportType(
    name="BULK_JSONL",
    title="Transcripts (JSON Lines)",
    description="Every transcript of a run with content, metrics and scenario, one JSON object a line.",
    subject=Subject.RUN,
    noun="transcripts",
    extension=".jsonl",
    media_type="application/x-ndjson",
    file_format="jsonl",
    options=(ALLOW_PARTIAL, COMPRESSION, STRICT),
    read=read_transcripts,
    sizing=TRANSCRIPTS,
    stem=lambda context: f"run_{context['run']['id']}_transcripts",
    format=TranscriptsJsonl(),
    streamed=Streamed.ALWAYS,
)
