"""Orders for the demonstration data, one for each export type."""

from typing import Any

from export_pipelines.catalog.export_type import Subject
from export_pipelines.catalog.types import EXPORT_TYPES, export_type
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.submit import Order

EVALUATION = tuple(type_ for type_ in EXPORT_TYPES if type_.subject in (Subject.RUN, Subject.DEFINITION))
"""The types that the demonstration data has something for."""


def order(type_name: str, **options: Any) -> Order:
    """An order for the showcase run or definition."""
    of_run = export_type(type_name).subject is Subject.RUN
    return Order(
        type=type_name,
        user=DEMO_USER_EMAIL,
        run_id=SHOWCASE_RUN_ID if of_run else None,
        definition_id=None if of_run else SHOWCASE_DEFINITION_ID,
        options=options,
    )
