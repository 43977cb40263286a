"""Shares: to whom, besides its owner, a finished export's file was given, and for how long."""

import enum
from dataclasses import dataclass
from datetime import datetime

MESSAGE_LENGTH = 2_000


class ShareState(enum.StrEnum):
    """Whether a share still opens the file, or why not."""

    IN_FORCE = "IN_FORCE"
    REVOKED = "REVOKED"
    OVER = "OVER"


@dataclass(frozen=True, kw_only=True)
class NewShare:
    """A share that is about to be written, checked.

    Attributes:
        created_by: id of the user who shares.
        user_id, email: whom the file is shared with: a user of ours, who becomes a viewer of the job, or an address
            outside. Exactly one of them.
        message: what the recipient is told besides; text as somebody typed it.
        expires_at: never later than the file's own end.
    """

    job_id: str
    created_by: str
    user_id: str | None
    email: str | None
    message: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Share(NewShare):
    """One row of ``exports.export_shares``. Times are aware and UTC.

    Attributes:
        revoked_at: since when it counts no more, though its time was not over.
        download_count, last_downloaded_at: of this share's links alone.
    """

    id: str
    revoked_at: datetime | None
    download_count: int
    last_downloaded_at: datetime | None
    created_at: datetime

    def state(self, now: datetime) -> ShareState:
        """How it stands."""
        if self.revoked_at is not None:
            return ShareState.REVOKED
        return ShareState.IN_FORCE if now < self.expires_at else ShareState.OVER

    def in_force(self, now: datetime) -> bool:
        """Whether it still opens the file."""
        return self.state(now) is ShareState.IN_FORCE
