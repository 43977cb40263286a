"""Export jobs: reading their rows and changing them, each change fenced by status and attempt, and audited."""

from typing import TYPE_CHECKING

from export_pipelines.core.late_names import late_names
from export_pipelines.db.jobs.access import delete, note_link
from export_pipelines.db.jobs.creation import create, create_all_in, create_in
from export_pipelines.db.jobs.outcomes import complete, count_download, expire, fail
from export_pipelines.db.jobs.places import Place, WaitsFor, places_of
from export_pipelines.db.jobs.progress import report_progress
from export_pipelines.db.jobs.queries import (
    by_ids,
    expired_candidates,
    find,
    find_by_dagster_runs,
    get,
    list_jobs,
    stale,
)
from export_pipelines.db.jobs.queue import (
    Limits,
    QueueLength,
    admit,
    claim_launches,
    forgotten,
    put_back,
    queue_length,
    release,
    unadmitted,
)
from export_pipelines.db.jobs.records import input_of, ref_of, request_of
from export_pipelines.db.jobs.work import audit_cancellations, cancel, claim, reopen, require_current

if TYPE_CHECKING:
    from export_pipelines.db.jobs.once import Asking, Made, create_once, made_before, requeue_once
    from export_pipelines.db.jobs.pages import JobFilter, JobPage, page

__all__ = [
    "Asking",
    "JobFilter",
    "JobPage",
    "Limits",
    "Made",
    "Place",
    "QueueLength",
    "WaitsFor",
    "admit",
    "audit_cancellations",
    "by_ids",
    "cancel",
    "claim",
    "claim_launches",
    "complete",
    "count_download",
    "create",
    "create_all_in",
    "create_in",
    "create_once",
    "delete",
    "expire",
    "expired_candidates",
    "fail",
    "find",
    "find_by_dagster_runs",
    "forgotten",
    "get",
    "input_of",
    "list_jobs",
    "made_before",
    "note_link",
    "page",
    "places_of",
    "put_back",
    "queue_length",
    "ref_of",
    "release",
    "reopen",
    "report_progress",
    "request_of",
    "requeue_once",
    "require_current",
    "stale",
    "unadmitted",
]

# Who asks for jobs over HTTP needs these; who works on one does not.
_LATE = {
    "once": ("Asking", "Made", "create_once", "made_before", "requeue_once"),
    "pages": ("JobFilter", "JobPage", "page"),
}
__getattr__ = late_names(__name__, _LATE)
