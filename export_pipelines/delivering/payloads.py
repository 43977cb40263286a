"""The JSON that webhooks carry."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson


def payload(kind: str, *, at: datetime, data: Mapping[str, Any]) -> bytes:
    """The body of a message; the same for each try, byte for byte."""
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps({"type": kind, "timestamp": moment, "data": dict(data)})
