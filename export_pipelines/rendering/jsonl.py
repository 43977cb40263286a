"""BULK_JSONL: every transcript whole, one JSON object a line; UTF-8, LF, no byte-order mark."""

from collections.abc import Iterator

from export_pipelines.core.fidelity import FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.batches import joined
from export_pipelines.rendering.transcript_lines import TranscriptLines


class TranscriptsJsonl:
    """The flat format of BULK_JSONL; rows have the columns of ``transcript_lines.COLUMNS``."""

    def head(self, context: Context) -> bytes:
        """Nothing: a line is complete by itself."""
        return b""

    def head_notes(self, context: Context) -> tuple[FidelityNote, ...]:
        """Nothing is lost there."""
        return ()

    def body(self, rows: Iterator[Row], context: Context, report: FidelityReport) -> Iterator[bytes]:
        """A line a row."""
        return joined(map(TranscriptLines(context, report).pieces, rows))

    def tail(self, context: Context) -> bytes:
        """Nothing."""
        return b""
