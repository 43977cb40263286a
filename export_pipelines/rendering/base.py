"""What a format promises: pure functions of the frozen rows and their context."""

from collections.abc import Iterator
from typing import Any, Protocol

from export_pipelines.core.archive import Entry
from export_pipelines.core.fidelity import FidelityNote, FidelityReport
from export_pipelines.core.frozen import Context

Row = tuple[bytes | None, ...]
"""One frozen row: the fields of a binary COPY tuple, still encoded, None for NULL, in the order of the columns."""


class FlatFormat(Protocol):
    """A format whose file is head + the bodies of all shards in order + tail."""

    def head(self, context: Context) -> bytes:
        """What comes before the first row: a byte-order mark, a header line, a preamble."""
        ...

    def head_notes(self, context: Context) -> tuple[FidelityNote, ...]:
        """What the head could not keep exactly; no shard's report has it, since each would count it again."""
        ...

    def body(self, rows: Iterator[Row], context: Context, report: FidelityReport) -> Iterator[bytes]:
        """The rows of one shard in chunks of any size; every row is one record.

        Whatever cannot be kept exactly is noted in ``report``.
        """
        ...

    def tail(self, context: Context) -> bytes:
        """What comes after the last row."""
        ...


class ArchiveFormat(Protocol):
    """A format whose file is an archive of members."""

    def entries(self, rows: Iterator[Row], context: Context, report: FidelityReport, *, shard: int) -> Iterator[Entry]:
        """The members, pieces and absences that one shard contributes; every row gives a record or an absence.

        Args:
            rows: the shard's rows.
            context: the export's context.
            report: takes what cannot be kept exactly.
            shard: its index; shard 0 also brings the members that depend on no row.
        """
        ...

    def manifest_name(self, context: Context) -> str:
        """Where in the archive its own manifest lies."""
        ...

    def manifest_head(self, context: Context) -> dict[str, Any]:
        """Facts of the data that the archive's own manifest begins with."""
        ...
