"""What every table shares: the metadata with its naming rules, column types, and the columns that recur."""

import enum
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import CheckConstraint, DateTime, Enum, ForeignKey, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from export_pipelines.core.ids import new_id

EVALUATION = "evaluation"
EXPORTS = "exports"

# Names that migrations can state and errors can show; PostgreSQL's own differ from those SQLAlchemy would make up.
NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

# A Python None is SQL's NULL here, never the JSON value null: NULL content means expired.
Json = JSONB(none_as_null=True)
Time = DateTime(timezone=True)

Id = Annotated[str, mapped_column(Text, primary_key=True, default=new_id)]
CreatedAt = Annotated[datetime, mapped_column(Time, server_default=func.now())]
UpdatedAt = Annotated[datetime, mapped_column(Time, server_default=func.now())]
DeletedAt = Annotated[datetime | None, mapped_column(Time)]


class Base(DeclarativeBase):
    """Parent of every model; the schema of each table is the name of its context."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {str: Text, datetime: Time, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012 - SQLAlchemy reads this name as a plain class attribute


def enum_type(values: type[enum.Enum], *, name: str, schema: str) -> Enum:
    """A PostgreSQL enum of the members' names."""
    return Enum(values, name=name, schema=schema, metadata=Base.metadata)


def references(target: str, *, on_delete: str | None = None) -> ForeignKey:
    """A foreign key to ``context.table.column``."""
    return ForeignKey(target, ondelete=on_delete)


# Python gives up on JSON that is nested a thousand deep, or has a number of 4301 digits, and makes infinity of what a
# double cannot hold; its years are 1 to 9999. One such row would keep whoever reads a list of rows from all the others.
def readable_json(column: str) -> CheckConstraint:
    """Whether a column of JSON can be read by Python too; plain SQL may write any."""
    deep, huge = "$.**{100 to last}", "$.** ? (@ > 1e300 || @ < -1e300)"
    found = " OR ".join(f"jsonb_path_exists({column}, '{path}')" for path in (deep, huge))
    return CheckConstraint(f"NOT ({found})", name=f"{column}_is_readable")


def readable_times(*columns: str) -> CheckConstraint:
    """Whether columns of times can be read by Python, and reckoned with: PostgreSQL has infinity and years B.C. too."""
    times = ", ".join(columns)
    return CheckConstraint(
        f"least({times}) >= '1900-01-01 00:00:00+00' AND greatest({times}) < '9000-01-01 00:00:00+00'",
        name="times_are_readable",
    )
