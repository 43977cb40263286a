"""The tables, one file a group, as SQLAlchemy models.

A name brings its file, and with it the files of what its rows refer to, when somebody first asks for it: a worker of
one export needs half of them. ``Base.metadata`` is whole after :func:`load_all` only.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from export_pipelines.core.late_names import late_names
from export_pipelines.db.tables.base import EVALUATION, EXPORTS, Base

if TYPE_CHECKING:
    from export_pipelines.db.tables.analysis import AnalysisResult, Rubric
    from export_pipelines.db.tables.audit import ACTIONS, AuditCheckpointRow, AuditHead, AuditLog
    from export_pipelines.db.tables.definitions import Definition, DefinitionTag, Tag
    from export_pipelines.db.tables.deliveries import ExportDelivery, WebhookEndpointRow
    from export_pipelines.db.tables.events import ExportEvent
    from export_pipelines.db.tables.experiments import Experiment, RunComparison
    from export_pipelines.db.tables.jobs import ExportJobRow
    from export_pipelines.db.tables.people import Administrator, ApiKey, User, WebSession
    from export_pipelines.db.tables.requests import CountedRequest, IdempotencyKey
    from export_pipelines.db.tables.runs import Run
    from export_pipelines.db.tables.scenarios import Scenario
    from export_pipelines.db.tables.schedules import ExportScheduleRow, ExportScheduleSlot
    from export_pipelines.db.tables.shards import ExportShard, ShardState
    from export_pipelines.db.tables.shares import ExportShareRow
    from export_pipelines.db.tables.subscriptions import ExportReaction, ExportSubscription
    from export_pipelines.db.tables.transcripts import Transcript
    from export_pipelines.db.tables.usage import ExportUsageStats

__all__ = [
    "ACTIONS",
    "EVALUATION",
    "EXPORTS",
    "Administrator",
    "AnalysisResult",
    "ApiKey",
    "AuditCheckpointRow",
    "AuditHead",
    "AuditLog",
    "Base",
    "CountedRequest",
    "Definition",
    "DefinitionTag",
    "Experiment",
    "ExportDelivery",
    "ExportEvent",
    "ExportJobRow",
    "ExportReaction",
    "ExportScheduleRow",
    "ExportScheduleSlot",
    "ExportShard",
    "ExportShareRow",
    "ExportSubscription",
    "ExportUsageStats",
    "IdempotencyKey",
    "Rubric",
    "Run",
    "RunComparison",
    "Scenario",
    "ShardState",
    "Tag",
    "Transcript",
    "User",
    "WebSession",
    "WebhookEndpointRow",
    "load_all",
]

_FILES = {
    "analysis": ("AnalysisResult", "Rubric"),
    "audit": ("ACTIONS", "AuditCheckpointRow", "AuditHead", "AuditLog"),
    "definitions": ("Definition", "DefinitionTag", "Tag"),
    "deliveries": ("ExportDelivery", "WebhookEndpointRow"),
    "events": ("ExportEvent",),
    "experiments": ("Experiment", "RunComparison"),
    "jobs": ("ExportJobRow",),
    "people": ("Administrator", "ApiKey", "User", "WebSession"),
    "requests": ("CountedRequest", "IdempotencyKey"),
    "runs": ("Run",),
    "scenarios": ("Scenario",),
    "schedules": ("ExportScheduleRow", "ExportScheduleSlot"),
    "shards": ("ExportShard", "ShardState"),
    "shares": ("ExportShareRow",),
    "subscriptions": ("ExportReaction", "ExportSubscription"),
    "transcripts": ("Transcript",),
    "usage": ("ExportUsageStats",),
}
__getattr__ = late_names(__name__, _FILES)


def load_all() -> type[Base]:
    """The base of all models, its metadata filled: for who compares or makes whole schemas."""
    for file in _FILES:
        import_module(f"{__name__}.{file}")
    return Base
