"""Shares: who, besides its owner, may read an export."""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, select

from export_pipelines.db.database import Database
from export_pipelines.db.tables import ExportShareRow


def in_force(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """That a grant is neither revoked nor over."""
    return (ExportShareRow.revoked_at.is_(None), ExportShareRow.expires_at > now)


def is_viewer(database: Database, *, job_id: str, user_id: str, now: datetime) -> bool:
    """Whether the job is shared with the user at this moment."""
    granted = (ExportShareRow.job_id == job_id, ExportShareRow.user_id == user_id, *in_force(now))
    with database.transaction() as session:
        return bool(session.scalar(select(exists().where(*granted))))
