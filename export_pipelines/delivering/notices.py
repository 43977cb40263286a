"""What a message says, whichever way it goes."""

from dataclasses import dataclass, field
from datetime import datetime

from export_pipelines.core.deliveries import DeliveryEvent


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes along with a mail."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The end of one export, or that it is shared, as one recipient hears of it.

    Attributes:
        id: of the delivery; the same for each try.
        at: when the export ended, or was shared.
        requested_by: name or e-mail address of whoever asked for the export; of one that is shared, whoever shares it.
        link: downloads the file; None when none was asked for, or there is no file.
        remark: why the file is not attached although that was asked for.
        message: what whoever shares it has to say; as it was typed.
    """

    id: str
    event: DeliveryEvent
    at: datetime
    job_id: str
    type: str
    title: str
    requested_by: str
    file_name: str | None = None
    size: int | None = None
    rows: int | None = None
    checksum: str | None = None
    expires_at: datetime | None = None
    error: str | None = None
    link: str | None = field(default=None, repr=False)
    attachment: Attachment | None = None
    remark: str | None = None
    message: str = ""
