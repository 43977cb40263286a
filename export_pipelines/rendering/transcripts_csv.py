"""BULK_CSV: a table with one line a transcript, in the profile that the options name."""

from collections.abc import Iterator

from export_pipelines.core.fidelity import FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering import csv_flat, csv_summary
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.batches import joined
from export_pipelines.rendering.columns import check_columns
from export_pipelines.rendering.csv_flat import FlatRows
from export_pipelines.rendering.csv_summary import SummaryRows

COLUMNS = (
    "id",
    "scenario_id",
    "target_model",
    "model_version",
    "responses",
    "turn_count",
    "token_count",
    "duration_ms",
    "estimated_cost",
    "decision_code",
    "decision_text",
    "created_at",
)
"""The columns of a row, in order."""


class TranscriptsCsv:
    """The flat format of BULK_CSV; UTF-8, CRLF, quoted as RFC 4180 says."""

    def head(self, context: Context) -> bytes:
        """The line of column names."""
        return csv_flat.head(context) if _is_flat(context) else csv_summary.head(context)

    def head_notes(self, context: Context) -> tuple[FidelityNote, ...]:
        """What the head could not keep exactly; no shard's report has it, since each shard would count it again."""
        return () if _is_flat(context) else csv_summary.head_notes(context)

    def body(self, rows: Iterator[Row], context: Context, report: FidelityReport) -> Iterator[bytes]:
        """A line a row (which may be several in the file, where cells hold line ends)."""
        check_columns(context, COLUMNS)
        lines = FlatRows(context, report) if _is_flat(context) else SummaryRows(context, report)
        return joined(map(lines.pieces, rows))

    def tail(self, context: Context) -> bytes:
        """Nothing."""
        return b""


def _is_flat(context: Context) -> bool:
    return bool(context["options"].get("profile") == "flat")
