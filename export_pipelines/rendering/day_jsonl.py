"""BULK_DAY_JSONL: lines like those of BULK_JSONL, of transcripts of many runs."""

from collections.abc import Iterator

from export_pipelines.core.fidelity import FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.batches import joined
from export_pipelines.rendering.columns import check_columns
from export_pipelines.rendering.transcript_lines import COLUMNS as OF_ONE_RUN
from export_pipelines.rendering.transcript_lines import TranscriptLines

COLUMNS = (*OF_ONE_RUN, "run_id")
"""The columns of a row, in order."""


class DayJsonl:
    """The flat format of BULK_DAY_JSONL; rows have the columns of :data:`COLUMNS`."""

    def head(self, context: Context) -> bytes:
        """Nothing: a line is complete by itself."""
        return b""

    def head_notes(self, context: Context) -> tuple[FidelityNote, ...]:
        """Nothing is lost there."""
        return ()

    def body(self, rows: Iterator[Row], context: Context, report: FidelityReport) -> Iterator[bytes]:
        """A line a row."""
        return joined(_lines(rows, context, report))

    def tail(self, context: Context) -> bytes:
        """Nothing."""
        return b""


def _lines(rows: Iterator[Row], context: Context, report: FidelityReport) -> Iterator[tuple[bytes, ...]]:
    check_columns(context, COLUMNS)
    lines = TranscriptLines({**context, "run": {"id": None}, "definition": None}, report)
    current: bytes | None = None
    for row in rows:
        # Rows come run by run.
        if row[-1] != current:
            current = row[-1]
            run_id = (current or b"").decode()
            lines.begin_run(run_id, context["runs"].get(run_id))
        yield lines.pieces(row[:-1])
