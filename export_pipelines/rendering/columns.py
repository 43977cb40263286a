"""The columns that a format was written for, compared with those that were frozen."""

from collections.abc import Sequence

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Context


def check_columns(context: Context, expected: Sequence[str]) -> None:
    """Nothing, when the context states no columns or exactly the expected ones.

    Raises:
        IntegrityError: the projection gave others, whose bytes would be taken for something they are not.
    """
    found = tuple(column["name"] for column in context.get("columns") or ())
    if found and found[: len(expected)] != tuple(expected):
        raise IntegrityError(
            f"the frozen rows have the columns {', '.join(found)}, but this format reads {', '.join(expected)}; "
            "correct the projection and start the export again."
        )
