"""The list of export types; a new one is a file beside this and a line here."""

from export_pipelines.catalog.audit_jsonl import AUDIT_JSONL
from export_pipelines.catalog.bulk_csv import BULK_CSV
from export_pipelines.catalog.bulk_day_jsonl import BULK_DAY_JSONL
from export_pipelines.catalog.bulk_jsonl import BULK_JSONL
from export_pipelines.catalog.bulk_parquet import BULK_PARQUET
from export_pipelines.catalog.definition_md import DEFINITION_MD
from export_pipelines.catalog.export_type import ExportType
from export_pipelines.catalog.run_bundle import RUN_BUNDLE
from export_pipelines.catalog.scenarios_yaml import SCENARIOS_YAML
from export_pipelines.core.errors import ValidationError

EXPORT_TYPES: tuple[ExportType, ...] = (
    DEFINITION_MD,
    SCENARIOS_YAML,
    RUN_BUNDLE,
    BULK_JSONL,
    BULK_CSV,
    BULK_PARQUET,
    BULK_DAY_JSONL,
    AUDIT_JSONL,
)


def export_type(name: str) -> ExportType:
    """The export type of that name, in any case.

    Raises:
        ValidationError: there is none; the message lists them.
    """
    for offered in EXPORT_TYPES:
        if offered.name == name.upper():
            return offered
    raise ValidationError(f"export type {name!r} is unknown; there are {', '.join(t.name for t in EXPORT_TYPES)}.")
