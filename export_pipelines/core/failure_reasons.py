"""Why exports fail, in a few classes that can be counted; the row's error says it in full.

A row keeps the error's text and not its class, since it also hears of failures from Dagster, which knows texts only. So
the texts are recognised: they are ours.
"""

import enum
import re


class FailureReason(enum.StrEnum):
    """A class of failures."""

    WORKER_LOST = "worker_lost"
    DATABASE = "database"
    STORE = "store"
    FIDELITY = "fidelity"
    INTEGRITY = "integrity"
    DEFECT = "defect"
    REQUEST = "request"
    OTHER = "other"


PATTERNS: tuple[tuple[FailureReason, str], ...] = (
    (FailureReason.DEFECT, "This is a defect"),
    (FailureReason.WORKER_LOST, "[Ww]orker (died|was killed|is gone|went away)"),
    (
        FailureReason.DATABASE,
        "[Tt]he database [^ ]+ (cannot be used|refuses|is not prepared)|_TIMEOUT_SECONDS|_HOLD_SECONDS",
    ),
    (FailureReason.STORE, "AWS_ENDPOINT_URL|EXPORT_PIPELINES_STORE_URL|Cannot (publish|write|read|list|remove) "),
    (FailureReason.FIDELITY, "strict was asked for"),
    (
        FailureReason.INTEGRITY,
        "[Nn]othing was published|is damaged|[Ss]tart the export again|render [a-z ]+ again",
    ),
    (
        FailureReason.REQUEST,
        "is unknown|does not exist|is deleted|has no scenarios|[Tt]here is no |not COMPLETED|, but (takes|must)",
    ),
)
"""The first that is found decides; regular expressions that Python and PostgreSQL read alike."""


def reason_of(error: str) -> FailureReason:
    """The class of a row's error."""
    return next((reason for reason, pattern in PATTERNS if re.search(pattern, error)), FailureReason.OTHER)
