"""Usage statistics, counted from the audit log."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables.base import EXPORTS, Base


class ExportUsageStats(Base):
    """What one user's exports of one type came to on one UTC day.

    No foreign key to the user, as in the audit log: what was used stays used.
    """

    __tablename__ = "export_usage_stats"
    __table_args__ = (
        CheckConstraint(
            "exports >= 0 AND failures >= 0 AND rows >= 0 AND bytes >= 0 AND duration_ms >= 0",
            name="counts_not_negative",
        ),
        {"schema": EXPORTS},
    )

    user_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    exports: Mapped[int] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    duration_ms: Mapped[int] = mapped_column(BigInteger)
    last_entry: Mapped[int] = mapped_column(BigInteger)
