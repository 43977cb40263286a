"""The launch form of each export type, made from the catalog: described, bounded, harmless by default."""

import re
from typing import Any, Literal, cast

import dagster as dg
from pydantic import Field, create_model

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.catalog.options import Option
from export_pipelines.steps.submit import HOURS, Order

_SUBJECT_HELP = {
    Subject.RUN: "The evaluation run: its id, the first characters of the id, or its name; @latest completed last.",
    Subject.DEFINITION: "The definition: its id, the first characters of the id, or its name.",
    Subject.DAY: "A day that is over, UTC, like 2026-03-01, or @yesterday; empty for the day of the run's partition.",
    Subject.AUDIT_LOG: "Positions of the audit log, like 1-2000 or 1001-; empty for all that is there now.",
}


class ExportConfig(dg.Config):
    """The fields that every export has."""

    user: str = Field(default="", description="Who the export is for: the e-mail address of a known user.")
    expiry_hours: int = Field(
        default=24, ge=HOURS.start, le=HOURS.stop - 1, description="Hours that the file is kept, 1 to 168."
    )
    title: str = Field(default="", max_length=200, description="What lists call this export; made up when empty.")
    job_id: str = Field(
        default="", description="Id of an export job that exists already; then every other field is left alone."
    )


def config_class(type_: ExportType) -> type[ExportConfig]:
    """The form of one export type: the common fields, its subject, its options."""
    fields: dict[str, Any] = {
        type_.subject_field: (str, Field(default="", description=_SUBJECT_HELP[type_.subject])),
        **{option.name: _field(option) for option in type_.options},
    }
    name = re.sub(r"_", "", type_.name.title()) + "Config"
    return cast("type[ExportConfig]", create_model(name, __base__=ExportConfig, __doc__=type_.description, **fields))


def order_of(type_: ExportType, config: ExportConfig) -> Order:
    """What the filled-in form asks for."""
    subject = {type_.subject_field: getattr(config, type_.subject_field)}
    return Order(
        type=type_.name,
        user=config.user,
        expiry_hours=config.expiry_hours,
        title=config.title,
        options={option.name: getattr(config, option.name) for option in type_.options},
        **subject,
    )


def _field(option: Option) -> tuple[Any, Any]:
    if option.choices:
        return (Literal[option.choices], Field(default=option.default, description=option.description))
    return (bool, Field(default=option.default, description=option.description))
