"""Exports of a day as partitions: one a day, to be launched or backfilled from the UI."""

from dataclasses import replace
from datetime import date, datetime, time

import dagster as dg

from export_pipelines.catalog.export_type import ExportType, Subject
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.jobs import ExportJob
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order


def partitions_of(type_: ExportType, *, first_day: date) -> dg.PartitionsDefinition[str] | None:
    """Every UTC day from the first one to yesterday, for an export of a day; None for all others."""
    if type_.subject is not Subject.DAY:
        return None
    return dg.DailyPartitionsDefinition(start_date=datetime.combine(first_day, time()), timezone="UTC")


def partition_of(type_: ExportType, job: ExportJob) -> str | None:
    """The partition that an export fills, also when it was not launched as one."""
    return str(job.input["subject_id"]) if type_.subject is Subject.DAY else None


def filled_in(context: dg.OpExecutionContext, services: Services, order: Order) -> Order:
    """The order with the run's partition as its day; a backfill asks nobody for a form, so it may lack a user too.

    Raises:
        ValidationError: the form names another day than the partition.
    """
    if not context.has_partition_key:
        return order
    day = context.partition_key
    if order.day and order.day != day:
        raise ValidationError(f"the form says day {order.day}, but the partition is {day}; leave the day empty.")
    from export_pipelines.steps.users import default_user  # noqa: PLC0415 - only partitions come without a user

    return replace(order, day=day, user=order.user or default_user(services))
