"""AUDIT_JSONL: the audit log, whole or a part of it, one JSON object a row, to be verified without the database."""

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.catalog.options import COMPRESSION, STRICT
from export_pipelines.db.sources.audit_log import read_audit_log
from export_pipelines.db.sources.sizes import AUDIT_ROWS
from export_pipelines.rendering.audit_jsonl import AuditJsonl

AUDIT_JSONL = ExportType(
    name="AUDIT_JSONL",
    title="Audit log (JSON Lines)",
    description="Rows of the audit log with their hashes, one JSON object a line; docs/audit.md says how to verify it.",
    subject=Subject.AUDIT_LOG,
    noun="audit_rows",
    extension=".jsonl",
    media_type="application/x-ndjson",
    file_format="jsonl",
    options=(COMPRESSION, STRICT),
    sizing=AUDIT_ROWS,
    read=read_audit_log,
    stem=lambda context: f"audit_{context['first']}-{context['last']}",
    format=AuditJsonl(),
    line_id="position",
)
