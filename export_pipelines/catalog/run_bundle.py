"""RUN_BUNDLE: everything of a run as a ZIP that unpacks to a run directory of the command-line tools."""

from export_pipelines.catalog.export_type import ExportType, Streamed, Subject
from export_pipelines.catalog.options import ALLOW_PARTIAL, STRICT
from export_pipelines.db.sources.bundle import read_bundle
from export_pipelines.db.sources.sizes import TRANSCRIPTS
from export_pipelines.rendering.bundle import RunBundle

RUN_BUNDLE = ExportType(
    name="RUN_BUNDLE",
    title="Run bundle (ZIP)",
    description="A run with definition, scenarios, transcripts and analysis; unpacks to the tools' run directory.",
    subject=Subject.RUN,
    noun="transcripts",
    extension=".zip",
    media_type="application/zip",
    file_format="zip",
    options=(ALLOW_PARTIAL, STRICT),
    read=read_bundle,
    sizing=TRANSCRIPTS,
    stem=lambda context: f"run_{context['run']['id']}",
    format=RunBundle(),
    streamed=Streamed.ALONE,
)
