"""RUN_BUNDLE: a run as the members of an archive that unpacks to a run directory of the command-line tools."""

from collections.abc import Iterator
from typing import Any

from export_pipelines.core.archive import Entry
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.bundle_documents import documents
from export_pipelines.rendering.bundle_names import BundleNames, folder_of
from export_pipelines.rendering.bundle_transcripts import COLUMNS, BundleTranscripts
from export_pipelines.rendering.columns import check_columns
from export_pipelines.rendering.fields import damaged_rows_named


class RunBundle:
    """The archive format of RUN_BUNDLE; rows have the columns of ``bundle_transcripts.COLUMNS``."""

    def entries(self, rows: Iterator[Row], context: Context, report: FidelityReport, *, shard: int) -> Iterator[Entry]:
        """A shard's transcripts; the first shard brings the documents, and the beginning of every aggregated file.

        Raises:
            ContentError: a transcript's content has an unknown version or a wrong shape.
            IntegrityError: a row is damaged, or not of this context.
        """
        check_columns(context, COLUMNS)
        names = BundleNames(context)
        transcripts = BundleTranscripts(context, names, report)
        if shard == 0:
            yield from documents(context, names, report)
            yield from transcripts.beginnings()
        with damaged_rows_named():
            for row in rows:
                yield from transcripts.entries(row)

    def manifest_name(self, context: Context) -> str:
        """Where in the archive its own manifest lies."""
        return f"{folder_of(context)}/manifest.yaml"

    def manifest_head(self, context: Context) -> dict[str, Any]:
        """The run, its definition and its models: facts of the data, nothing of the export."""
        names, run, definition = BundleNames(context), context["run"], context["definition"]
        return {
            "run": {
                name: run.get(name) for name in ("id", "name", "status", "created_at", "started_at", "completed_at")
            },
            "definition": {"id": definition["id"], "name": definition["name"]},
            "models": [{"anon_id": names.anonymous(model["id"]), **model} for model in context["models"]],
            "scenarios": len(context["scenarios"]),
        }
