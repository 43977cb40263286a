"""DEFINITION_MD: one definition as the Markdown file that the command-line tools read."""

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.catalog.options import STRICT
from export_pipelines.core.names import document_stem
from export_pipelines.db.sources.definition import read_definition
from export_pipelines.db.sources.sizes import DEFINITION
from export_pipelines.rendering.definition_markdown import DefinitionMarkdown

DEFINITION_MD = ExportType(
    name="DEFINITION_MD",
    title="Definition (Markdown)",
    description="One definition, inheritance resolved, as the Markdown file that the command-line tools read.",
    subject=Subject.DEFINITION,
    noun="definition",
    extension=".md",
    media_type="text/markdown; charset=utf-8",
    file_format="markdown",
    options=(STRICT,),
    read=read_definition,
    sizing=DEFINITION,
    stem=lambda context: document_stem(context["definition"]["name"]),
    format=DefinitionMarkdown(),
)
