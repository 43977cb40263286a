"""SCENARIOS_YAML: the scenarios of a definition as the YAML file that the command-line tools read."""

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.catalog.options import STRICT
from export_pipelines.core.names import document_stem
from export_pipelines.db.sources.scenarios import read_scenarios
from export_pipelines.db.sources.sizes import SCENARIOS
from export_pipelines.rendering.scenarios_yaml import ScenariosYaml

SCENARIOS_YAML = ExportType(
    name="SCENARIOS_YAML",
    title="Scenarios (YAML)",
    description="All scenarios of a definition as the YAML file that the command-line tools read.",
    subject=Subject.DEFINITION,
    noun="scenarios",
    extension=".scenarios.yaml",
    media_type="application/yaml; charset=utf-8",
    file_format="yaml",
    options=(STRICT,),
    read=read_scenarios,
    sizing=SCENARIOS,
    stem=lambda context: document_stem(context["definition"]["name"]),
    format=ScenariosYaml(),
)
