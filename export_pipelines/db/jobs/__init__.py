"""Export jobs: reading their rows and changing them, each change fenced by status and attempt, and audited."""

from export_pipelines.db.jobs.access import delete, note_link
from export_pipelines.db.jobs.creation import create, create_all_in, create_in
from export_pipelines.db.jobs.outcomes import complete, count_download, expire, fail
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
from export_pipelines.db.jobs.records import ref_of, request_of
from export_pipelines.db.jobs.work import cancel, claim, reopen, require_current

__all__ = [
    "by_ids",
    "cancel",
    "claim",
    "complete",
    "count_download",
    "create",
    "create_all_in",
    "create_in",
    "delete",
    "expire",
    "expired_candidates",
    "fail",
    "find",
    "find_by_dagster_runs",
    "get",
    "list_jobs",
    "note_link",
    "ref_of",
    "reopen",
    "report_progress",
    "request_of",
    "require_current",
    "stale",
]
