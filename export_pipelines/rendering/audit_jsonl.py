"""AUDIT_JSONL: a row of the audit log as one JSON object a line; every text that was hashed as it was hashed."""

from collections.abc import Iterator

from export_pipelines.core.fidelity import FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.rendering.base import Row
from export_pipelines.rendering.batches import joined
from export_pipelines.rendering.columns import check_columns
from export_pipelines.rendering.fields import int8, text, timestamptz
from export_pipelines.rendering.json_text import encode

TEXTS = ("action", "job_id", "user_id", "address", "user_agent", "additional_data", "previous_hash", "hash")
COLUMNS = ("position", "id", "at", *TEXTS)
"""The columns of a row, in order."""


class AuditJsonl:
    """The flat format of AUDIT_JSONL."""

    def head(self, context: Context) -> bytes:
        """Nothing: a line is complete by itself."""
        return b""

    def head_notes(self, context: Context) -> tuple[FidelityNote, ...]:
        """Nothing is lost there."""
        return ()

    def body(self, rows: Iterator[Row], context: Context, report: FidelityReport) -> Iterator[bytes]:
        """A line a row."""
        check_columns(context, COLUMNS)
        return joined((_line(row), b"\n") for row in rows)

    def tail(self, context: Context) -> bytes:
        """Nothing."""
        return b""


def _line(row: Row) -> bytes:
    position, id_, at, *texts = row
    values = {"position": _number(position), "id": _number(id_), "at": None if at is None else timestamptz(at)}
    return encode(
        {**values, **{name: None if field is None else text(field) for name, field in zip(TEXTS, texts, strict=True)}}
    )


def _number(field: bytes | None) -> int | None:
    return None if field is None else int8(field)
