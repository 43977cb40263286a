"""The tables, one file a group, as SQLAlchemy models; importing this package fills ``Base.metadata``."""

from export_pipelines.db.tables.analysis import AnalysisResult, Rubric
from export_pipelines.db.tables.audit import ACTIONS, AuditCheckpointRow, AuditHead, AuditLog
from export_pipelines.db.tables.base import EVALUATION, EXPORTS, Base
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
]
