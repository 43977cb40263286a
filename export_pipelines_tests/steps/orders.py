"""Orders for the demonstration data, one for each export type."""

from typing import Any

from export_pipelines.catalog.export_type import Subject
from export_pipelines.catalog.types import EXPORT_TYPES, export_type
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DAY, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.submit import Order

EVALUATION = tuple(type_ for type_ in EXPORT_TYPES if type_.subject in (Subject.RUN, Subject.DEFINITION, Subject.DAY))
"""The types that the demonstration data has something for."""


def order(type_name: str, **options: Any) -> Order:
    """An order for the showcase run, definition or day."""
    subject = export_type(type_name).subject
    return Order(
        type=type_name,
        user=DEMO_USER_EMAIL,
        run_id=SHOWCASE_RUN_ID if subject is Subject.RUN else None,
        definition_id=SHOWCASE_DEFINITION_ID if subject is Subject.DEFINITION else None,
        day=SHOWCASE_DAY if subject is Subject.DAY else None,
        options=options,
    )
