"""Notices for tests."""

from datetime import UTC, datetime
from typing import Any

from export_pipelines.core.deliveries import DeliveryEvent
from export_pipelines.delivering.addresses import Mailbox
from export_pipelines.delivering.notices import Notice

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SENDER = Mailbox(local="exports", domain="example.org", name="Exporte, für alle")
RECIPIENT = Mailbox(local="ada", domain="example.net")


def notice(**fields: Any) -> Notice:
    """A completed export."""
    values: dict[str, Any] = {
        "id": "c0delivery",
        "event": DeliveryEvent.COMPLETED,
        "at": NOW,
        "job_id": "c0job",
        "type": "BULK_CSV",
        "title": "Bulk CSV: Courtyard",
        "requested_by": "Ada",
        "file_name": "run.csv",
        "size": 35_430,
        "rows": 93,
        "checksum": "ab" * 32,
        "expires_at": NOW,
        "link": "https://exports.example.org/downloads/TOKEN",
        **fields,
    }
    return Notice(**values)
